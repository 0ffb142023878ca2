-- Takes one post out of many timelines, and tells their viewers.
-- KEYS: timelines. ARGV: member, then as tell_owners has it.
for i = 1, #KEYS do
  redis.call('ZREM', KEYS[i], ARGV[1])
end
tell_owners(2)
