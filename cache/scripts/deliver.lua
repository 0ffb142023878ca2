-- Adds one post to many timelines, where they are in use, and tells their viewers.
-- KEYS: timelines. ARGV: member, score, cap, entries beyond it before the next trim, is it time to look for those (0 or 1),
-- then as tell_owners has it.
-- Only a timeline that is there is written to: none means asleep or evicted, and a lone entry would pass for a slice.
-- Returns how many timelines hold the entry now.
local member, score, cap, most, looks = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[3] + ARGV[4] + 1, ARGV[5] == '1'
local call, byte, width, delivered = redis.call, string.byte, #ARGV[1], 0
local READY, CUT, BUILDING = byte('r'), byte('c'), byte('b')

local function is_newer(other)
  return width < #other or (width == #other and member <= other)
end

-- Whether a timeline may take a post that is not newer than all that it holds.
local function may_take(key, newest)
  local marker = call('ZRANGE', key, 0, 0)[1]
  local state = marker and byte(marker)
  if state == BUILDING then
    return true  -- everything is taken; whoever finishes it cuts it at its floor
  elseif state ~= READY then
    return false
  elseif byte(marker, -1) ~= CUT then
    return true
  elseif not newest then
    call('DEL', key)  -- a cut slice without entries has no floor: cold
    return false
  end
  -- Cut: the slice is contiguous only down to its last entry, so nothing older may be put below it.
  return is_newer(call('ZRANGE', key, -1, -1)[1])
end

local function trim(key)
  call('ZREMRANGEBYRANK', key, cap + 1, -1)
  local marker = call('ZRANGE', key, 0, 0)[1]
  if byte(marker) == READY and byte(marker, -1) ~= CUT then
    call('ZREM', key, marker)
    call('ZADD', key, '-inf', string.sub(marker, 1, -2) .. 'c')
  end
end

for i = 1, #KEYS do
  local key = KEYS[i]
  -- Behind the marker stands the newest entry. Whatever is newer than that lies within the slice, cut, whole or being built.
  local newest = call('ZRANGE', key, 1, 1)[1]
  if newest and is_newer(newest) or may_take(key, newest) then
    call('ZADD', key, score, member)
    delivered = delivered + 1
    if looks and call('ZCARD', key) > most then
      trim(key)
    end
  end
end
tell_owners(6)
return delivered
