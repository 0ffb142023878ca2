-- Counts how often an account has published one text within a window, and refuses what is too often.
-- KEYS: the account's texts. ARGV: digest of the text, digest of the attempt (or ''), limit, window in seconds, texts kept.
-- A field is the digest of a text; its value is a list of INSTANT/ATTEMPT, newest last. An attempt that is noted already counts
-- once: it is the same request again. Returns 1 where it may be published, 0 where it was published too often.
local key, text, attempt = KEYS[1], ARGV[1], ARGV[2]
local limit, window = tonumber(ARGV[3]), tonumber(ARGV[4])
local now = tonumber(redis.call('TIME')[1])
local kept = {}
for instant, other in string.gmatch(redis.call('HGET', key, text) or '', '(%d+)/(%w*)') do
  if attempt ~= '' and other == attempt then
    return 1
  end
  if tonumber(instant) > now - window then
    kept[#kept + 1] = instant .. '/' .. other
  end
end
if #kept >= limit then
  return 0
end
kept[#kept + 1] = string.format('%.0f', now) .. '/' .. attempt
if redis.call('HEXISTS', key, text) == 0 and redis.call('HLEN', key) >= tonumber(ARGV[5]) then
  -- So many different texts are no repetition; begun anew rather than searched for what is old.
  redis.call('DEL', key)
end
redis.call('HSET', key, text, table.concat(kept, ' '))
redis.call('EXPIRE', key, window)
return 1
