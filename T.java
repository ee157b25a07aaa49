import java.net.URI; import java.net.http.*;
public class T { public static void main(String[] a) throws Exception {
 var c = HttpClient.newHttpClient();
 for (int i = 0; i < 3; i++) {
 var r = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + a[0] + "/graphql")).header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString("{\"query\":\"{ viewer { orgId } }\"}")).build();
 var s = c.send(r, HttpResponse.BodyHandlers.ofString()); System.out.println(s.statusCode() + " " + s.version() + " " + s.body()); }
 System.exit(0); } }
