import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Arrays;

/** Lookups of java.net.InetAddress, and a connection by name. */
class Lookup {
    public static void main(String[] arguments) throws Exception {
        String[] names = {"www.example.test", "alias.example.test", "many.example.test",
            "v6.example.test", "www", "hosted", "localhost", "text.example.test",
            "absent.example.test"};
        for (String name : names) {
            try {
                System.out.println(name + ": " + Arrays.toString(InetAddress.getAllByName(name)));
            } catch (UnknownHostException e) {
                System.out.println(name + ": " + e.getMessage());
            }
        }
        for (String address : new String[] {
                "192.0.2.80", "192.0.2.81", "192.0.2.99", "127.0.0.5", "2001:db8::80"}) {
            InetAddress parsed = InetAddress.getByName(address);
            System.out.println(address + ": " + parsed.getCanonicalHostName() + " "
                + parsed.getHostName());
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("www.example.test", 8080), 5000);
            System.out.println("connected to " + socket.getRemoteSocketAddress());
        }
        try (var page = URI.create("http://v4.example.test:8080/").toURL().openStream()) {
            System.out.print(new String(page.readAllBytes()));
        }
    }
}
