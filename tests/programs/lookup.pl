# Lookups of Perl, printed a line each. Argument: getaddrinfo (with getnameinfo), the calls of the
# Socket module, or gethostby, those of the core.
use strict;
use warnings;
use Socket qw(:all);

my $older = $ARGV[0] eq 'gethostby';

for my $name (qw(www.example.test alias.example.test many.example.test v6.example.test www hosted
                 localhost text.example.test absent.example.test 127.1)) {
    for my $hints ($older ? () : ({}, { family => AF_INET, socktype => SOCK_STREAM },
                                 { family => AF_INET6, socktype => SOCK_DGRAM, flags => AI_CANONNAME })) {
        my ($error, @found) = getaddrinfo($name, "http", $hints);
        print "getaddrinfo $name: $error\n";
        for my $info (@found) {
            my ($e, $host, $port) = getnameinfo($info->{addr}, NI_NUMERICHOST | NI_NUMERICSERV);
            print "  $host $port $info->{socktype} $info->{protocol} ",
                $info->{canonname} // "-", "\n";
        }
    }
    next unless $older;
    my ($canonical, $aliases, $family, $length, @addresses) = gethostbyname($name);
    print "gethostbyname $name: ",
        defined $canonical
        ? "$canonical [$aliases] @{[map { inet_ntoa($_) } @addresses]}"
        : "none, h_errno $?", "\n";
}
for my $address (qw(192.0.2.80 192.0.2.99 192.0.2.90 127.0.0.5)) {
    if ($older) {
        my $name = gethostbyaddr(inet_aton($address), AF_INET);
        print "gethostbyaddr $address: ", $name // "none", "\n";
        next;
    }
    my ($error, $host, $service) = getnameinfo(pack_sockaddr_in(80, inet_aton($address)), 0);
    print "getnameinfo $address: $error ", $host // "-", " ", $service // "-", "\n";
}
exit if $older;
my ($error, $host) =
    getnameinfo(pack_sockaddr_in6(22, inet_pton(AF_INET6, "2001:db8::80")), NI_NAMEREQD);
print "getnameinfo 2001:db8::80: $error $host\n";
