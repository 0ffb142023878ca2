-- The next entries beyond a position over many lists at once, and which of the lists cannot answer.
-- KEYS: lists. ARGV: 'older' or 'newer', score of the position (or -inf), member of the position (or ''), size, ttl ms (or 0 to
-- leave lives alone), prefix of the ready markers, then the rest of each list's marker but for its end.
-- The lists are gone through with the size-th best entry so far as the bound: the first fills the page, the others are read only
-- as far as they can still better it.
-- Returns {numbers of the cold lists, numbers of the lists that end before the page does, members in page order, joined by commas}.
local newer, begin, place = ARGV[1] == 'newer', ARGV[2], ARGV[3]
local size, ttl, prefix = tonumber(ARGV[4]), ARGV[5], ARGV[6]
local best, bound, origin = {}, nil, {}  -- the page so far; once it is full, the score of its last entry; whose each is

local function is_newer(a, b)
  return #a < #b or (#a == #b and a < b)
end

local function is_before(a, b)
  if newer then
    return is_newer(b, a)
  end
  return is_newer(a, b)
end

-- Entries of one list that better the page, in page order, and whether the list went on as far as that.
local function collect(key, marker)
  local found, offset = {}, 0
  while true do
    local batch
    if newer then
      batch = redis.call('ZRANGE', key, begin, bound or '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, size + 1)
    else
      batch = redis.call('ZRANGE', key, begin, bound or '+inf', 'BYSCORE', 'LIMIT', offset, size + 1)
    end
    for i = 1, #batch do
      local member = batch[i]
      if member ~= marker and (place == '' or is_before(place, member)) then
        if bound and not is_before(member, best[size]) then
          return found, true
        end
        found[#found + 1] = member
        if #found == size then
          return found, true
        end
      end
    end
    if #batch <= size then
      return found, false
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

local cold, short, floors = {}, {}, {}
for i = 1, #KEYS do
  local key, expected = KEYS[i], prefix .. ARGV[6 + i]
  local marker = redis.call('ZRANGE', key, 0, 0)[1]
  if not marker or string.sub(marker, 1, #expected) ~= expected then
    cold[#cold + 1] = i
  else
    if ttl ~= '0' then
      redis.call('PEXPIRE', key, ttl)
    end
    local found, reaches = collect(key, marker)
    -- Towards the new end a full page says nothing of what the list lacks between the position and its own end.
    if (newer or not reaches) and string.sub(marker, -1) == 'c' then
      local floor = redis.call('ZRANGE', key, -1, -1)[1]
      if floor == marker then
        short[#short + 1] = i
      else
        floors[#floors + 1] = {i, floor}
      end
    end
    if #found > 0 then
      merge(key, found)
    end
  end
end
for _, entry in ipairs(floors) do
  local i, floor = entry[1], entry[2]
  local reaches
  if newer then
    reaches = not is_newer(floor, place)
  else
    reaches = #best == size and not is_newer(floor, best[size])
  end
  if not reaches then
    short[#short + 1] = i
  end
end
return {cold, short, table.concat(best, ',')}
