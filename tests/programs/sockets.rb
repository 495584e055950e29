#!/usr/bin/ruby
# SPDX-License-Identifier: BSD-3-Clause
# Ruby's own Socket class on AF_TIPC. sockets.rb CHECK | --list | --all; it knows nothing of
# dptipc, and a kernel's TIPC passes it as well.
require "socket"

AF_TIPC = 30
SOL_TIPC = 271
TIPC_IMPORTANCE = 127
TIPC_DESTNAME = 3
SERVICE_RANGE = 1
SERVICE_ADDR = 2
SOCKET_ADDR = 3
CLUSTER_SCOPE = 2
WAIT_S = 20
SERVICE = 100_000 + Process.pid % 100_000 * 10
TYPES = { stream: 1, dgram: 2, rdm: 4, seqpacket: 5 }.freeze
TIPC = "SCcL3"

def name(instance)
  [AF_TIPC, SERVICE_ADDR, CLUSTER_SCOPE, SERVICE, instance, 0].pack(TIPC)
end

def range(lower, upper = lower)
  [AF_TIPC, SERVICE_RANGE, CLUSTER_SCOPE, SERVICE, lower, upper].pack(TIPC)
end

def equal(got, wanted, what = "value")
  raise "#{what}: got #{got.inspect}, wanted #{wanted.inspect}" unless got == wanted
end

def refused(error)
  yield
rescue error
  nil
else
  raise "not #{error}"
end

def tipc(type)
  Socket.new(AF_TIPC, TYPES[type], 0)
end

def bound(type, instance)
  tipc(type).tap { |s| s.bind(range(instance)) }
end

def listener(type)
  bound(type, 1).tap { |s| s.listen(5) }
end

# a child that runs the block and says by its exit status whether it raised
def forked
  fork do
    yield
  rescue Exception => e
    warn e.full_message
    exit! 1
  else
    $stdout.flush
    exit! 0
  end
end

def reap(pid)
  Process.wait(pid)
  equal($?.exitstatus, 0, "status of the child")
end

CHECKS = {}

def check(name, &block)
  CHECKS[name.to_s] = block
end

check :messages do
  %i[rdm dgram].each do |type|
    r = bound(type, 1)
    s = tipc(type)
    own = r.getsockname
    equal(own.unpack(TIPC)[1], SOCKET_ADDR, "kind of getsockname")
    [name(1), range(0, 5), own].each do |to|
      equal(s.send("ask", 0, to), 3, "send")
      data, from = r.recvfrom(100)
      equal(data, "ask")
      equal(from.to_sockaddr, s.getsockname, "origin")
      r.send("answer", 0, from)
      equal(s.recv(3, Socket::MSG_PEEK), "ans", "peek")
      equal(s.recv(100), "answer")
    end
    refused(IO::WaitReadable) { r.recv_nonblock(10) }
    equal(r.recv_nonblock(10, exception: false), :wait_readable)
    refused(Errno::EHOSTUNREACH) { s.send("x", 0, name(9)) }
    s.connect(name(1))
    s.write("written")
    equal(r.readpartial(100), "written")
    s.sendmsg("with sendmsg", 0, name(1))
    data, from, _, control = r.recvmsg
    equal(data, "with sendmsg")
    equal(from.to_sockaddr, s.getsockname, "origin")
    equal([control.level, control.type, control.data], [SOL_TIPC, TIPC_DESTNAME, [SERVICE, 1, 1].pack("L3")])
    [r, s].each(&:close)
  end
end

check :options do
  TYPES.each do |type, number|
    s = tipc(type)
    equal(s.getsockopt(:SOCKET, :TYPE).int, number)
    s.setsockopt(SOL_TIPC, TIPC_IMPORTANCE, [3].pack("L"))
    equal(s.getsockopt(SOL_TIPC, TIPC_IMPORTANCE).int, 3)
    refused(Errno::EINVAL) { s.setsockopt(SOL_TIPC, TIPC_IMPORTANCE, [4].pack("L")) }
    s.close
  end
end

check :threads_and_lines_over_a_stream do
  l = listener(:stream)
  server = Thread.new do
    Array.new(8) do
      s, = l.accept
      Thread.new do
        while (line = s.gets)
          s.write(line.upcase)
          break if line == "bye\n"
        end
      end
    end.each(&:join)
  end
  clients = Array.new(8) do |n|
    Thread.new do
      c = tipc(:stream)
      c.connect(name(1))
      20.times do |i|
        c.puts("line #{i} of #{n}")
        equal(c.gets, "LINE #{i} OF #{n}\n")
      end
      c.puts("bye")
      equal(c.gets, "BYE\n")
    end
  end
  [*clients, server].each(&:value)
end

check :a_server_that_forks do
  l = listener(:seqpacket)
  clients = Array.new(5) do |n|
    forked do
      c = tipc(:seqpacket)
      c.connect(name(1))
      20.times do |i|
        c.send("#{n}/#{i}", 0)
        equal(c.recv(100), "#{n}/#{i}".reverse)
      end
      c.shutdown
    end
  end
  servers = clients.map do
    s, = l.accept
    pid = forked do
      l.close
      until (data = s.recv(100)).nil? || data.empty?
        s.send(data.reverse, 0)
      end
    end
    s.close
    pid
  end
  [*clients, *servers].each { |pid| reap(pid) }
end

check :select_over_connections_and_a_pipe do
  l = listener(:seqpacket)
  out, into = IO.pipe
  clients = Array.new(10) { tipc(:seqpacket) }
  clients.each { |c| refused(IO::WaitWritable) { c.connect_nonblock(name(1)) } }
  reading = [l, out]
  writing = clients.dup
  got = []
  equal(IO.select([out], nil, nil, 0), nil, "nothing to read")
  until got.size == 11
    ins, outs, = IO.select(reading, writing, nil, WAIT_S)
    raise "nothing happens" unless ins

    outs.each { |c| c.write_nonblock("from #{writing.delete(c) && clients.index(c)}") }
    ins.each do |s|
      if s == l
        reading << l.accept_nonblock[0]
        into.write("first accepted") if reading.size == 3
      else
        got << s.read_nonblock(100)
      end
    end
  end
  equal(got.sort, ["first accepted", *Array.new(10) { |n| "from #{n}" }])
  clients.each(&:close)
end

check :a_reader_that_sleeps_leaves_the_others_alone do
  r = bound(:rdm, 1)
  s = tipc(:rdm)
  reader = Thread.new { Array.new(3) { r.recv(100) } }
  Thread.pass until reader.status == "sleep"
  3.times { |i| s.send("message #{i}", 0, name(1)) }
  equal(reader.value, ["message 0", "message 1", "message 2"])
  late = Thread.new { r.recv(100) }
  Thread.pass until late.status == "sleep"
  late.kill.join
  s.send("for the next", 0, name(1))
  equal(r.recv(100), "for the next")
end

check :programs_that_are_started do
  r = bound(:rdm, 1)
  s = tipc(:rdm)
  3.times do
    equal(system("true"), true)
    equal(`echo words`, "words\n")
    refused(Errno::ENOENT) { `/no/such/program` }
    s.send("still here", 0, name(1))
    equal(r.recv(100), "still here")
  end
  a, b = Socket.pair(AF_TIPC, TYPES[:stream], 0)
  pid = spawn("echo from the shell", out: b)
  Process.wait(pid)
  equal(a.gets, "from the shell\n")
end

def run_one(name)
  Thread.new do
    sleep 50
    warn "#{name}: no end"
    exit! 3
  end
  CHECKS.fetch(name).call
  puts "ok #{name}"
  $stdout.flush
end

case ARGV[0]
when "--list" then puts CHECKS.keys
when "--all"
  CHECKS.each_key do |name|
    Process.wait(forked { run_one(name) })
    puts "FAILED #{name}" unless $?.exitstatus == 0
    $stdout.flush
  end
else run_one(ARGV[0])
end
