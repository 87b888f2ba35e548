<?php
// PHP's own questions to the DNS: res_ninit, res_nsearch, res_nclose.
$names = ['www.example.test', 'www.example.test.', 'www', 'mail.example.test', 'text.example.test',
    'text', 'alias.example.test', 'absent.example.test', 'long.example.test', ''];
$types = ['A' => DNS_A, 'AAAA' => DNS_AAAA, 'MX' => DNS_MX, 'TXT' => DNS_TXT, 'CNAME' => DNS_CNAME,
    'PTR' => DNS_PTR, 'SRV' => DNS_SRV, 'NS' => DNS_NS];
foreach ($names as $name) {
    foreach ($types as $type => $number) {
        echo "$name $type: ", json_encode(@dns_get_record($name, $number)), ' ',
            json_encode(@checkdnsrr($name, $type)), "\n";
    }
    echo '  mx ', json_encode(@getmxrr($name, $hosts, $weights)), json_encode([$hosts, $weights]), "\n";
}
echo json_encode(dns_get_record('80.2.0.192.in-addr.arpa', DNS_PTR)), "\n";
