-- The next entries below a position over many lists at once, and which of the lists cannot answer.
-- KEYS: lists. ARGV: score of the position (or -inf), member of the position (or '' for the newest end), size, ttl ms (or 0 to
-- leave lives alone), prefix of the ready markers, then the rest of each list's marker but for its end.
-- The newest of all heads is taken, by a heap, until the page is full; lists are read by and by, as far as they are needed.
-- Returns {numbers of the cold lists, numbers of the lists that end before the page does, members in page order, joined by commas}.
local begin, place, size, ttl, prefix = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local chunk = math.max(1, math.min(size, math.max(4, math.ceil(2 * size / #KEYS))))  -- entries read of a list at a time

-- By number of the list: the first entry that is not on the page, what was read with its place in it, how far, and the end.
local heads, read, at, offsets, is_read, is_cut = {}, {}, {}, {}, {}, {}

local function is_newer(a, b)
  return #a < #b or (#a == #b and a < b)
end

-- What comes after the place. Entries of its own millisecond stand on both sides of it.
local function below(batch, marker)
  local found = {}
  for i = 1, #batch do
    if batch[i] ~= marker and is_newer(place, batch[i]) then
      found[#found + 1] = batch[i]
    end
  end
  return found
end

-- Goes on to the list's next entry; nil where it has no more.
local function advance(list, marker)
  local following = read[list][at[list]]
  while not following and not is_read[list] do
    local key, offset, batch = KEYS[list], offsets[list], nil
    if place == '' then
      batch = redis.call('ZRANGE', key, offset, offset + chunk - 1)
    else
      batch = redis.call('ZRANGE', key, begin, '+inf', 'BYSCORE', 'LIMIT', offset, chunk)
    end
    offsets[list], is_read[list] = offset + #batch, #batch < chunk
    read[list], at[list] = place == '' and batch or below(batch, marker), 1
    following = read[list][1]
  end
  heads[list], at[list] = following, at[list] + 1
  return following
end

local heap, n = {}, 0  -- numbers of lists, by their heads

local function sink(i)
  local list = heap[i]
  local head = heads[list]
  while true do
    local child = 2 * i
    if child > n then
      break
    end
    if child < n and is_newer(heads[heap[child + 1]], heads[heap[child]]) then
      child = child + 1
    end
    if not is_newer(heads[heap[child]], head) then
      break
    end
    heap[i], i = heap[child], child
  end
  heap[i] = list
end

local cold, short = {}, {}
local version, whole, cut  -- most lists are of the same version as the one before
for list = 1, #KEYS do
  local key = KEYS[list]
  if version ~= ARGV[5 + list] then
    version = ARGV[5 + list]
    whole, cut = prefix .. version .. 'w', prefix .. version .. 'c'
  end
  -- The marker stands before the newest entry.
  local batch = redis.call('ZRANGE', key, 0, place == '' and chunk or 0)
  local marker = batch[1]
  if marker ~= whole and marker ~= cut then
    cold[#cold + 1] = list
  else
    if ttl ~= '0' then
      redis.call('PEXPIRE', key, ttl)
    end
    is_cut[list] = marker == cut
    if place == '' then
      read[list], at[list], offsets[list], is_read[list] = batch, 2, #batch, #batch <= chunk
    else
      read[list], at[list], offsets[list] = {}, 1, 0
    end
    if advance(list, marker) then
      n = n + 1
      heap[n] = list
    elseif is_cut[list] then
      short[#short + 1] = list
    end
  end
end
for i = math.floor(n / 2), 1, -1 do
  sink(i)
end

local page = {}
while #page < size and n > 0 do
  local list = heap[1]
  page[#page + 1] = heads[list]
  if #page < size then
    if not advance(list) then
      -- What a cut list lacks lies below its last entry, and belongs on the page.
      if is_cut[list] then
        short[#short + 1] = list
      end
      heap[1] = heap[n]
      n = n - 1
    end
    if n > 0 then
      sink(1)
    end
  end
end
return {cold, short, table.concat(page, ',')}
