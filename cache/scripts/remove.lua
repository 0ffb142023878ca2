-- Takes one post out of many timelines, and tells their viewers.
-- KEYS: timelines, then the viewers' logs where they are told. ARGV: member, number of timelines, then as tell_viewers has it.
local timelines = tonumber(ARGV[2])
for i = 1, timelines do
  redis.call('ZREM', KEYS[i], ARGV[1])
end
tell_viewers(timelines + 1, 3)
