-- The next entries above a position over many lists at once, and which of the lists cannot answer.
-- KEYS: lists. ARGV: score of the position, member of the position, size, ttl ms (or 0 to leave lives alone), prefix of the ready
-- markers, then the rest of each list's marker but for its end.
-- The lists are gone through with the size-th best entry so far as the bound: the first fills the page, the others are read only
-- as far as they can still better it.
-- Returns {numbers of the cold lists, numbers of the lists that end before the page begins, members in page order, joined by
-- commas}.
local begin, place, size, ttl, prefix = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local best, bound, origin = {}, nil, {}  -- the page so far; once it is full, the score of its last entry; whose each is

local function is_before(a, b)
  return #b < #a or (#b == #a and b < a)
end

-- Entries of one list that better the page, in page order.
local function collect(key, marker)
  local found, offset = {}, 0
  while true do
    local batch = redis.call('ZRANGE', key, begin, bound or '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, size + 1)
    for i = 1, #batch do
      local member = batch[i]
      if member ~= marker and is_before(place, member) then
        if bound and not is_before(member, best[size]) then
          return found
        end
        found[#found + 1] = member
        if #found == size then
          return found
        end
      end
    end
    if #batch <= size then
      return found
    end
    offset = offset + #batch
  end
end

local function merge(key, found)
  local merged, b, f = {}, 1, 1
  while #merged < size and (best[b] or found[f]) do
    if found[f] and (not best[b] or is_before(found[f], best[b])) then
      merged[#merged + 1] = found[f]
      origin[found[f]] = key
      f = f + 1
    else
      merged[#merged + 1] = best[b]
      b = b + 1
    end
  end
  best = merged
  bound = #best == size and redis.call('ZSCORE', origin[best[size]], best[size]) or nil
end

local cold, short = {}, {}
for i = 1, #KEYS do
  local key, expected = KEYS[i], prefix .. ARGV[5 + i]
  local marker = redis.call('ZRANGE', key, 0, 0)[1]
  if not marker or string.sub(marker, 1, #expected) ~= expected then
    cold[#cold + 1] = i
  else
    if ttl ~= '0' then
      redis.call('PEXPIRE', key, ttl)
    end
    -- A full page says nothing of what a cut list lacks between the position and its own end.
    if string.sub(marker, -1) == 'c' then
      local floor = redis.call('ZRANGE', key, -1, -1)[1]
      if floor == marker or is_before(place, floor) then
        short[#short + 1] = i
      end
    end
    local found = collect(key, marker)
    if #found > 0 then
      merge(key, found)
    end
  end
end
return {cold, short, table.concat(best, ',')}
