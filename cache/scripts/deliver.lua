-- Adds one post to many timelines, where they are in use, and tells their viewers.
-- KEYS: timelines. ARGV: member, score, cap, entries beyond it before the next trim, key of the newest floor, then as tell_owners
-- has it.
-- Only a timeline that is there is written to: none means asleep or evicted, and a lone entry would pass for a slice.
-- Returns how many timelines hold the entry now.
local member, score, cap, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[3] + ARGV[4] + 1
local call, byte, delivered = redis.call, string.byte, 0
local READY, CUT = byte('r'), byte('c')

-- A cut slice is contiguous only down to its last entry, its floor, so nothing older may be put below it. Most posts are newer
-- than the floors of all timelines: then nothing is asked of each.
local floor = call('GET', ARGV[5])
local is_above_all = floor and is_newer(member, floor)

-- Whether a timeline that is there may take a post that is older than some floor.
local function may_take(key)
  local marker = call('ZRANGE', key, 0, 0)[1]
  local state = byte(marker)
  if state ~= READY then
    return state == byte('b')  -- being built: everything is taken; whoever finishes it cuts it at its floor
  elseif byte(marker, -1) ~= CUT then
    return true
  end
  local last = call('ZRANGE', key, -1, -1)[1]
  if last == marker then
    call('DEL', key)  -- a cut slice without entries has no floor: cold
    return false
  end
  return member == last or is_newer(member, last)
end

local function trim(key)
  call('ZREMRANGEBYRANK', key, cap + 1, -1)
  local marker = call('ZRANGE', key, 0, 0)[1]
  if byte(marker) == READY and byte(marker, -1) ~= CUT then
    call('ZREM', key, marker)
    call('ZADD', key, '-inf', string.sub(marker, 1, -2) .. 'c')
  end
  note_floor(ARGV[5], call('ZRANGE', key, -1, -1)[1])
end

for i = 1, #KEYS do
  local key = KEYS[i]
  local size = call('ZCARD', key)
  if size > 0 and (is_above_all or may_take(key)) then
    size = size + call('ZADD', key, score, member)
    delivered = delivered + 1
    if size > most then
      trim(key)
    end
  end
end
tell_owners(6)
return delivered
