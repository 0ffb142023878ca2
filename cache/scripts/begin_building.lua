-- Claims the rebuild of one timeline: single flight over all processes.
-- KEYS: timeline. ARGV: building marker, prefix of the ready marker that would do, prefix of building markers that would do, ttl ms.
-- Returns 1 when claimed, 0 when it is ready or somebody else is building it.
local marker = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
if marker then
  if string.sub(marker, 1, #ARGV[2]) == ARGV[2] or string.sub(marker, 1, #ARGV[3]) == ARGV[3] then
    return 0
  end
end
redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[1], '-inf', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
