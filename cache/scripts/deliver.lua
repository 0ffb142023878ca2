-- Adds one post to many timelines, where they are in use, and tells their viewers.
-- KEYS: timelines, then the viewers' logs where they are told. ARGV: member, number of timelines, score, cap, slack, then as
-- tell_viewers has it.
-- Only a timeline with a marker is written to: no marker means asleep or evicted, and a lone entry would pass for a slice.
-- Returns how many timelines hold the entry now.
local member, timelines, score, cap, slack = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local delivered = 0
for i = 1, timelines do
  local key = KEYS[i]
  local marker = redis.call('ZRANGE', key, 0, 0)[1]
  local state = marker and string.sub(marker, 1, 1)
  if state == 'b' then
    -- Being built: everything is taken; whoever finishes it cuts it at its floor.
    redis.call('ZADD', key, score, member)
    delivered = delivered + 1
  elseif state == 'r' then
    local fits = true
    if string.sub(marker, -1) == 'c' then
      -- Cut: the slice is contiguous only down to its last entry, so nothing older may be put below it.
      local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
      if last[1] == marker then
        redis.call('DEL', key)  -- a cut slice without entries has no floor: cold
        fits = false
      else
        local floor_score, own_score = tonumber(last[2]), tonumber(score)
        fits = own_score < floor_score or (own_score == floor_score and member <= last[1])
      end
    end
    if fits then
      redis.call('ZADD', key, score, member)
      delivered = delivered + 1
      if redis.call('ZCARD', key) > cap + slack + 1 then
        redis.call('ZREMRANGEBYRANK', key, cap + 1, -1)
        if string.sub(marker, -1) == 'w' then
          redis.call('ZREM', key, marker)
          redis.call('ZADD', key, '-inf', string.sub(marker, 1, -2) .. 'c')
        end
      end
    end
  end
end
tell_viewers(timelines + 1, 6)
return delivered
