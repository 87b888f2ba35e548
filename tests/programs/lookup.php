<?php
// Every way in which PHP looks up names. Argument: getaddrinfo, or gethostby for the older calls
// and for the sockets extension: PHP before 8.5 loads extensions with RTLD_DEEPBIND, which puts
// libc in front of whatever was preloaded, for them alone.
$older = $argv[1] === 'gethostby';
$names = ['www.example.test', 'alias.example.test', 'many.example.test', 'v6.example.test', 'www',
    'hosted', 'localhost', 'text.example.test', 'absent.example.test'];
foreach ($names as $name) {
    if (!$older) {
        $stream = @stream_socket_client("tcp://$name:8080", $errno, $text, 5);
        echo "$name: ", $stream ? stream_socket_get_name($stream, true) : "$errno $text", "\n";
        continue;
    }
    echo "$name: ", gethostbyname($name), ' ', json_encode(gethostbynamel($name)), "\n";
    foreach ([[], ['ai_family' => AF_INET, 'ai_socktype' => SOCK_STREAM], ['ai_family' => AF_INET6]] as $hints) {
        $found = @socket_addrinfo_lookup($name, '80', $hints);
        echo '  addrinfo ', json_encode(
            $found === false ? false : array_map('socket_addrinfo_explain', $found)), "\n";
    }
}
foreach (['192.0.2.80', '192.0.2.99', '127.0.0.5', '2001:db8::80'] as $address) {
    if (!$older) {
        echo "$address: ", gethostbyaddr($address), "\n";
    }
}
if (!$older) {
    echo file_get_contents('http://www.example.test:8080/');
    echo file_get_contents('http://alias:8080/');
}
