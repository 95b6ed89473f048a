package forwarded_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"waybill/aggregates/access/forwarded"
)

// seen is the address that a handler behind the proxies sees.
func seen(t testing.TB, p forwarded.Proxies, peer, header string, lines ...string) string {
	t.Helper()
	var addr string
	h := p.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { addr = r.RemoteAddr }))
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = peer
	r.Header[header] = lines
	h.ServeHTTP(httptest.NewRecorder(), r)
	if r.RemoteAddr != peer {
		t.Errorf("the server's own request was changed to %q", r.RemoteAddr)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatalf("the handler sees %q: %v", addr, err)
	}
	return host
}

func proxies(t testing.TB, header string, networks ...string) forwarded.Proxies {
	t.Helper()
	p, err := forwarded.New(header, networks)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheRightmostHopThatIsNotTrustedIsTheClient(t *testing.T) {
	t.Parallel()
	const x, f = forwarded.XForwardedFor, forwarded.Forwarded
	for name, c := range map[string]struct {
		header, peer string
		lines        []string
		want         string
	}{
		"nothing said":                  {x, "10.0.0.1:1", nil, "10.0.0.1"},
		"one proxy":                     {x, "10.0.0.1:1", []string{"198.51.100.7"}, "198.51.100.7"},
		"what the client wrote":         {x, "10.0.0.1:1", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		"in lines of their own":         {x, "10.0.0.1:1", []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"},
		"two proxies":                   {x, "10.0.0.1:1", []string{"203.0.113.9, 198.51.100.7, 10.2.3.4"}, "198.51.100.7"},
		"proxies all the way":           {x, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a peer that is not trusted":    {x, "192.0.2.1:1", []string{"198.51.100.7"}, "192.0.2.1"},
		"with a port":                   {x, "10.0.0.1:1", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		"IPv6":                          {x, "[fd00::1]:1", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with a port":              {x, "[fd00::1]:1", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		"IPv4 as IPv6":                  {x, "[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		"nonsense ends the way":         {x, "10.0.0.1:1", []string{"198.51.100.7, nonsense"}, "10.0.0.1"},
		"nonsense before a proxy":       {x, "10.0.0.1:1", []string{"198.51.100.7, nonsense, 10.0.0.2"}, "10.0.0.2"},
		"empty hops":                    {x, "10.0.0.1:1", []string{"198.51.100.7, , "}, "10.0.0.1"},
		"the other header":              {f, "10.0.0.1:1", []string{"for=198.51.100.7;proto=https;by=10.0.0.1"}, "198.51.100.7"},
		"its IPv6":                      {f, "10.0.0.1:1", []string{`For="[2001:db8:cafe::17]:4711"`}, "2001:db8:cafe::17"},
		"its hops":                      {f, "10.0.0.1:1", []string{`for=203.0.113.9, for="198.51.100.7:1"; host="a,b;for=x"`, `for=10.0.0.2`}, "198.51.100.7"},
		"who does not want to be known": {f, "10.0.0.1:1", []string{"for=198.51.100.7, for=_hidden"}, "10.0.0.1"},
		"unknown":                       {f, "10.0.0.1:1", []string{"for=unknown"}, "10.0.0.1"},
		"two names for one hop":         {f, "10.0.0.1:1", []string{"for=198.51.100.7;for=203.0.113.9"}, "10.0.0.1"},
		"a quote that is never closed":  {f, "10.0.0.1:1", []string{`for="x`, "for=198.51.100.7"}, "198.51.100.7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := proxies(t, c.header, "10.0.0.0/8", "fd00::/8")
			if got := seen(t, p, c.peer, c.header, c.lines...); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTheHeaderThatProxiesDoNotWriteIsNeverRead(t *testing.T) {
	t.Parallel()
	p := proxies(t, forwarded.XForwardedFor, "10.0.0.1")
	if got := seen(t, p, "10.0.0.1:1", forwarded.Forwarded, "for=198.51.100.7"); got != "10.0.0.1" {
		t.Errorf("got %s", got)
	}
	p = proxies(t, "forwarded", "::ffff:10.0.0.0/104")
	if got := seen(t, p, "10.0.0.1:1", forwarded.XForwardedFor, "198.51.100.7"); got != "10.0.0.1" {
		t.Errorf("got %s", got)
	}
	if got := seen(t, forwarded.Proxies{}, "10.0.0.1:1", forwarded.XForwardedFor, "198.51.100.7"); got != "10.0.0.1" {
		t.Errorf("without proxies: %s", got)
	}
}

func TestProxiesThatCannotBeReadAreRefused(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"", "10.0.0.0/33", "localhost", "10.0.0.1-9", "::ffff:0:0/90"} {
		if _, err := forwarded.New("", []string{network}); err == nil || !strings.Contains(err.Error(), network) {
			t.Errorf("%q: %v", network, err)
		}
	}
	if _, err := forwarded.New("X-Real-IP", nil); err == nil {
		t.Error("a header that is not read was taken")
	}
}

// Whatever a client writes, the proxy's word stands, and who is no proxy has none.
func FuzzNobodyButAProxyIsBelieved(f *testing.F) {
	for _, seed := range []string{"", "1.2.3.4", `for="[::1]:80", for="`, `"`, `\\"`, "for=a;for=b,,;=", "[::1", ":::", "::1%eth0"} {
		f.Add(seed)
	}
	x := proxies(f, forwarded.XForwardedFor, "10.0.0.0/8")
	rfc := proxies(f, forwarded.Forwarded, "10.0.0.0/8")
	f.Fuzz(func(t *testing.T, written string) {
		for _, c := range []struct {
			p            forwarded.Proxies
			header, word string
		}{{x, forwarded.XForwardedFor, "198.51.100.7"}, {rfc, forwarded.Forwarded, `for="198.51.100.7:80"`}} {
			if got := seen(t, c.p, "192.0.2.1:1", c.header, written); got != "192.0.2.1" {
				t.Fatalf("%s: who is no proxy passes for %s", c.header, got)
			}
			for _, lines := range [][]string{{written, c.word}, {written + ", " + c.word}} {
				if got := seen(t, c.p, "10.0.0.1:1", c.header, lines...); got != "198.51.100.7" {
					t.Fatalf("%s: %q passes for %s", c.header, written, got)
				}
			}
			if _, err := netip.ParseAddr(seen(t, c.p, "10.0.0.1:1", c.header, written)); err != nil {
				t.Fatalf("%s: %v", c.header, err)
			}
		}
	})
}
