-- Takes back what note_text has counted last under one attempt: it was not published after all.
-- KEYS: the account's texts. ARGV: digest of the text, digest of the attempt (or '').
local key, text, attempt = KEYS[1], ARGV[1], ARGV[2]
local kept, last = {}, nil
for instant, other in string.gmatch(redis.call('HGET', key, text) or '', '(%d+)/(%w*)') do
  kept[#kept + 1] = instant .. '/' .. other
  if other == attempt then
    last = #kept
  end
end
if last then
  table.remove(kept, last)
  if #kept == 0 then
    redis.call('HDEL', key, text)
  else
    redis.call('HSET', key, text, table.concat(kept, ' '))
  end
end
