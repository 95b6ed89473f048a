// Package forwarded finds out from which address a request came when it passed
// through proxies that say so. Nobody but those who are named as trusted is
// believed: whatever a client writes into such a header stays without effect.
package forwarded

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Headers in which proxies name whom they had a request from.
const (
	XForwardedFor = "X-Forwarded-For"
	Forwarded     = "Forwarded" // RFC 7239
)

// Proxies are those whose word is taken. The zero value trusts nobody.
type Proxies struct {
	header  string
	trusted []netip.Prefix
}

// New returns proxies by their networks, such as "10.0.0.0/8", or addresses. They
// name clients in one header, XForwardedFor when it is empty; the other one is
// never read, because a proxy that does not write it passes on what the client
// wrote.
func New(header string, networks []string) (Proxies, error) {
	p := Proxies{header: XForwardedFor}
	switch {
	case header == "" || strings.EqualFold(header, XForwardedFor):
	case strings.EqualFold(header, Forwarded):
		p.header = Forwarded
	default:
		return Proxies{}, fmt.Errorf("the header of proxies is %s or %s, not %q", XForwardedFor, Forwarded, header)
	}
	for _, text := range networks {
		network, err := parseNetwork(strings.TrimSpace(text))
		if err != nil {
			return Proxies{}, fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", text)
		}
		p.trusted = append(p.trusted, network)
	}
	return p, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if network.Addr().Is4In6() {
		if network.Bits() < 96 {
			return netip.Prefix{}, errors.New("a network of both kinds")
		}
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-96)
	}
	return network.Masked(), nil
}

func (p Proxies) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(p.trusted, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// Handler gives a request that came through trusted proxies the address of its
// client as RemoteAddr, with port 0.
func (p Proxies) Handler(next http.Handler) http.Handler {
	if len(p.trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client, ok := p.client(r.RemoteAddr, r.Header.Values(p.header)); ok {
			passed := *r // the server keeps what it has
			passed.RemoteAddr = net.JoinHostPort(client.String(), "0")
			r = &passed
		}
		next.ServeHTTP(w, r)
	})
}

// client follows the hops back from the peer, as long as each is trusted: the
// first that is not is the client, and what it says about others is not believed.
// A hop that cannot be read, or does not want to be known, ends the way at the
// proxy that named it. It reports false when the peer is the client.
func (p Proxies) client(peer string, lines []string) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(peer)
	if err != nil {
		return netip.Addr{}, false
	}
	here := at.Addr().Unmap().WithZone("")
	moved := false
	rest := strings.Join(lines, ",")
	for p.trusts(here) && rest != "" {
		var hop string
		hop, rest = last(rest, ',', p.header == Forwarded)
		addr, ok := p.address(hop)
		if !ok {
			break
		}
		here, moved = addr, true
	}
	return here, moved
}

// address reads one hop.
func (p Proxies) address(hop string) (netip.Addr, bool) {
	node := strings.TrimSpace(hop)
	if p.header == Forwarded {
		var ok bool
		if node, ok = forOf(node); !ok {
			return netip.Addr{}, false
		}
	}
	if inside, ok := strings.CutPrefix(node, "["); ok { // [2001:db8::1]:4711
		inside, port, ok := strings.Cut(inside, "]")
		if !ok || port != "" && port[0] != ':' {
			return netip.Addr{}, false
		}
		node = inside
	} else if strings.Count(node, ":") == 1 { // 192.0.2.1:4711
		node, _, _ = strings.Cut(node, ":")
	}
	addr, err := netip.ParseAddr(node)
	if err != nil {
		return netip.Addr{}, false
	}
	return addr.Unmap().WithZone(""), true
}
