-- Lengthens the lives of logs. KEYS: logs. ARGV: ttl ms.
for i = 1, #KEYS do
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
end
