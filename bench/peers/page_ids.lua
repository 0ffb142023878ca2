-- A page of candidates, as a feed without rules would read them: the timeline that Tidings wrote, merged with lists.
-- KEYS: the viewer's timeline, the viewer's list of lists (`peer:lists:VIEWER`). ARGV: score behind which the page begins (or
-- -inf), how many. A list is a sorted set like a timeline: score = -milliseconds, member = 2^63 - 1 - id.
-- Returns members of all sources, in no order, at least the `size` newest ones.
local begin, size = ARGV[1], tonumber(ARGV[2])
local bound = '+inf'
local first = begin == '-inf' and '(-inf' or '(' .. begin
local found = redis.call('ZRANGE', KEYS[1], first, '+inf', 'BYSCORE', 'LIMIT', 0, size)
if #found >= size then
  bound = redis.call('ZSCORE', KEYS[1], found[#found])
end
for author in string.gmatch(redis.call('GET', KEYS[2]) or '', '%d+') do
  local part = redis.call('ZRANGE', 'peer:list:' .. author, first, bound, 'BYSCORE', 'LIMIT', 0, size)
  for i = 1, #part do
    found[#found + 1] = part[i]
  end
end
return found
