-- A page of candidates, as a feed without rules would read them: the timeline that Tidings wrote, merged with lists.
-- KEYS: the viewer's timeline, the viewer's list of lists (`peer:lists:VIEWER`). ARGV: member of the post behind which the page
-- begins (or ''), its milliseconds negated (or -inf), how many.
-- A timeline is read by rank, its marker left out. A list is a sorted set: score = -milliseconds, member = 2^63 - 1 - id.
-- Returns members of all sources, in no order; the `size` newest ones are among them.
local place, begin, size = ARGV[1], ARGV[2], tonumber(ARGV[3])
local low = 1
if place ~= '' then
  local high = redis.call('ZCARD', KEYS[1])
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', KEYS[1], middle, middle)[1]
    if #member > #place or (#member == #place and member > place) then
      high = middle
    else
      low = middle + 1
    end
  end
end
local found = redis.call('ZRANGE', KEYS[1], low, low + size - 1)
local bound = '+inf'
if #found >= size then
  -- A double holds the milliseconds but for the last one.
  bound = 1 - math.floor((2 ^ 63 - found[#found]) / 2 ^ 22)
end
for author in string.gmatch(redis.call('GET', KEYS[2]) or '', '%d+') do
  local part = redis.call('ZRANGE', 'peer:list:' .. author, '(' .. begin, bound, 'BYSCORE', 'LIMIT', 0, size)
  for i = 1, #part do
    found[#found + 1] = part[i]
  end
end
return found
