-- Makes a timeline ready, if the building mark still stands.
-- KEYS: timeline. ARGV: building marker, ready marker, ttl ms, cap, is cut (0 or 1), key of the newest floor, then score and member
-- of each entry, oldest first: in the compact encoding the place of a newer entry is then found at once.
-- Entries that fan-out wrote meanwhile stay, but for those below the floor of a cut slice.
-- Returns 1 when ready, 0 when the mark was gone: then nothing is changed.
local key = KEYS[1]
if redis.call('ZRANGE', key, 0, 0)[1] ~= ARGV[1] then
  return 0
end
local cap, is_cut = tonumber(ARGV[4]), ARGV[5] == '1'
for from = 7, #ARGV, 200 do
  redis.call('ZADD', key, unpack(ARGV, from, math.min(from + 199, #ARGV)))
end
if is_cut then
  local floor = redis.call('ZRANK', key, ARGV[8])
  redis.call('ZREMRANGEBYRANK', key, floor + 1, -1)
end
redis.call('ZREM', key, ARGV[1])
local ready = ARGV[2]
if redis.call('ZCARD', key) > cap then
  redis.call('ZREMRANGEBYRANK', key, cap, -1)
  ready, is_cut = string.sub(ready, 1, -2) .. 'c', true
end
if is_cut then
  note_floor(ARGV[6], redis.call('ZRANGE', key, -1, -1)[1])
end
redis.call('ZADD', key, '-inf', ready)
redis.call('PEXPIRE', key, ARGV[3])
return 1
