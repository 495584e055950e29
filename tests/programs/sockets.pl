#!/usr/bin/perl
# SPDX-License-Identifier: BSD-3-Clause
# Perl's own socket functions on AF_TIPC. sockets.pl CHECK | --list | --all; it knows nothing of
# dptipc, and a kernel's TIPC passes it as well.
use strict;
use warnings;
use Errno qw(EAGAIN EINPROGRESS EHOSTUNREACH);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use IO::Handle;
use IO::Select;
use Socket qw(SOCK_STREAM SOCK_DGRAM SOCK_RDM SOCK_SEQPACKET SOL_SOCKET SO_TYPE MSG_DONTWAIT MSG_PEEK);

use constant {
	AF_TIPC => 30, SOL_TIPC => 271, TIPC_IMPORTANCE => 127,
	SERVICE_RANGE => 1, SERVICE_ADDR => 2, SOCKET_ADDR => 3, CLUSTER_SCOPE => 2,
	WAIT_S => 20, SHUT_RDWR => 2,
};
my $service = 100000 + $$ % 100000 * 10;
my $TIPC = 'SCcL3';
my %checks;
my @names;

sub check { my ($name, $code) = @_; push @names, $name; $checks{$name} = $code; }
sub name { return pack $TIPC, AF_TIPC, SERVICE_ADDR, CLUSTER_SCOPE, $service, $_[0], 0; }
sub range { return pack $TIPC, AF_TIPC, SERVICE_RANGE, CLUSTER_SCOPE, $service, @_; }

sub equal
{
	my ($got, $wanted, $what) = @_;

	$got = '(undefined)' unless defined $got;
	die "$what: got '$got', wanted '$wanted'" unless $got eq $wanted;
}

sub tipc { socket(my $s, AF_TIPC, $_[0], 0) or die "socket: $!"; return $s; }
sub bound { my $s = tipc($_[0]); bind($s, range($_[1], $_[1])) or die "bind: $!"; return $s; }
sub reap { my ($pid) = @_; waitpid($pid, 0) == $pid or die "waitpid: $!"; equal($?, 0, 'status of the child'); }

sub listener
{
	my $l = bound($_[0], 1);

	listen($l, 5) or die "listen: $!";
	return $l;
}

# a child that runs the code and says by its exit status whether it died
sub forked
{
	my ($code) = @_;
	my $pid = fork;

	die "fork: $!" unless defined $pid;
	return $pid if $pid;
	eval { $code->(); 1 } and IO::Handle::flush(*STDOUT) and exit 0;
	print STDERR $@;
	exit 1;
}

check messages => sub {
	for my $kind (SOCK_RDM, SOCK_DGRAM) {
		my ($r, $s) = (bound($kind, 1), tipc($kind));
		my $own = getsockname($r);

		equal((unpack $TIPC, $own)[1], SOCKET_ADDR, 'kind of getsockname');
		for my $to (name(1), range(0, 5), $own) {
			equal(send($s, 'ask', 0, $to), 3, 'send');
			my $from = recv($r, my $data, 100, 0);
			equal($data, 'ask', 'data');
			equal($from, getsockname($s), 'origin');
			send($r, 'answer', 0, $from) or die "send: $!";
			defined recv($s, $data, 3, MSG_PEEK) or die "recv: $!";
			equal($data, 'ans', 'peek');
			defined recv($s, $data, 100, 0) or die "recv: $!";
			equal($data, 'answer', 'answer');
		}
		equal(defined recv($r, my $none, 10, MSG_DONTWAIT) ? 1 : 0 + $!, EAGAIN, 'nothing there');
		equal(defined send($s, 'x', 0, name(9)) ? 1 : 0 + $!, EHOSTUNREACH, 'no such name');
		connect($s, name(1)) or die "connect: $!";
		syswrite($s, 'written') or die "write: $!";
		sysread($r, my $read, 100) or die "read: $!";
		equal($read, 'written', 'read');
	}
};

check options => sub {
	for my $kind (SOCK_STREAM, SOCK_DGRAM, SOCK_RDM, SOCK_SEQPACKET) {
		my $s = tipc($kind);

		equal(unpack('i', getsockopt($s, SOL_SOCKET, SO_TYPE)), $kind, 'SO_TYPE');
		setsockopt($s, SOL_TIPC, TIPC_IMPORTANCE, pack 'I', 3) or die "setsockopt: $!";
		equal(unpack('I', getsockopt($s, SOL_TIPC, TIPC_IMPORTANCE)), 3, 'IMPORTANCE');
	}
};

# Perl's own buffers: print, readline, eof.
check lines_over_a_stream_to_a_forking_server => sub {
	my $l = listener(SOCK_STREAM);
	my @clients = map {
		my $n = $_;
		forked(sub {
			my $c = tipc(SOCK_STREAM);
			connect($c, name(1)) or die "connect: $!";
			$c->autoflush(1);
			for my $i (1 .. 20) {
				print $c "line $i of $n\n";
				equal(scalar <$c>, "LINE $i OF $n\n", 'the answer');
			}
			print $c "bye\n";
			equal(scalar <$c>, "BYE\n", 'the last answer');
			shutdown($c, SHUT_RDWR);
		})
	} 1 .. 5;
	my @servers = map {
		accept(my $s, $l) or die "accept: $!";
		my $pid = forked(sub {
			$s->autoflush(1);
			while (my $line = <$s>) {
				print $s uc $line;
				last if $line eq "bye\n";
			}
		});
		close $s;
		$pid
	} @clients;
	reap($_) for @clients, @servers;
};

check select_over_connections => sub {
	my $l = listener(SOCK_SEQPACKET);
	my @clients = map { tipc(SOCK_SEQPACKET) } 1 .. 10;
	my $set = IO::Select->new($l);
	my ($served, $ended) = (0, 0);

	equal(scalar(my @none = $set->can_read(0)), 0, 'nothing to read');
	for my $c (@clients) {
		fcntl($c, F_SETFL, fcntl($c, F_GETFL, 0) | O_NONBLOCK) or die "fcntl: $!";
		equal(connect($c, name(1)) ? 0 : 0 + $!, EINPROGRESS, 'connect');
	}
	my %writable = map { $_ => $_ } @clients;
	while ($ended < @clients) {
		my ($in, $out) = IO::Select->select($set, IO::Select->new(values %writable), undef, WAIT_S);
		die 'nothing happens' unless $in && (@$in || @$out);
		for my $c (@$out) {
			syswrite($c, "hello") or die "write: $!";
			delete $writable{$c};
		}
		for my $s (@$in) {
			if ($s == $l) {
				accept(my $new, $l) or die "accept: $!";
				$set->add($new);
				next;
			}
			my $got = sysread($s, my $data, 100);
			die "read: $!" unless defined $got;
			if ($got == 0) {
				$ended++;
				$set->remove($s);
				next;
			}
			equal($data, 'hello', 'data');
			shutdown($clients[$served++], SHUT_RDWR);
		}
	}
	equal($served, 10, 'messages');
};

check pairs_and_pipes_in_one_select => sub {
	socketpair(my $a, my $b, AF_TIPC, SOCK_STREAM, 0) or die "socketpair: $!";
	pipe(my $out, my $in) or die "pipe: $!";
	my $set = IO::Select->new($b, $out);
	my $pid = forked(sub { syswrite($a, 'tipc'); syswrite($in, 'pipe'); });
	my %got;

	while (keys %got < 2) {
		for my $f ($set->can_read(WAIT_S)) {
			sysread($f, my $data, 100) or die "read: $!";
			$got{$data} = $f;
		}
	}
	equal($got{tipc}, $b, 'over TIPC');
	equal($got{pipe}, $out, 'over the pipe');
	reap($pid);
};

# system, exec and pipes of Perl's own, while sockets are open
check programs_that_are_started => sub {
	my ($r, $s) = (bound(SOCK_RDM, 1), tipc(SOCK_RDM));

	for (1 .. 3) {
		equal(system('true'), 0, 'system');
		equal(`echo words`, "words\n", 'backquotes');
		send($s, 'still here', 0, name(1)) or die "send: $!";
		recv($r, my $data, 100, 0);
		equal($data, 'still here', 'data');
	}
	socketpair(my $a, my $b, AF_TIPC, SOCK_STREAM, 0) or die "socketpair: $!";
	my $pid = forked(sub {
		open(STDIN, '<&', $b) or die "dup: $!";
		open(STDOUT, '>&', $b) or die "dup: $!";
		exec 'sed', '-u', 's/.*/\\U&/' or die "exec: $!";
	});
	close $b;
	syswrite($a, "through sed\n") or die "write: $!";
	equal(scalar <$a>, "THROUGH SED\n", 'the answer of sed');
	shutdown($a, SHUT_RDWR);
	reap($pid);
};

sub run_one
{
	my ($name) = @_;

	alarm 50;
	$checks{$name}->();
	print "ok $name\n";
}

my ($what) = @ARGV;
if ($what eq '--list') {
	print "$_\n" for @names;
} elsif ($what eq '--all') {
	for my $name (@names) {
		waitpid(forked(sub { run_one($name) }), 0);
		print "FAILED $name\n" if $?;
	}
} else {
	run_one($what);
}
