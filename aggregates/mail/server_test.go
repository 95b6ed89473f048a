package mail_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"waybill/aggregates/mail"
)

const (
	smtpUser     = "waybill@example.net"
	smtpPassword = "pa/ss:w@rd of the mail server"
)

// mailServer is a small mail server. Its zero hooks accept everything.
type mailServer struct {
	address string
	tls     *tls.Config // nil = it offers none
	first   bool        // TLS from the first byte
	roots   *x509.CertPool

	mu      sync.Mutex
	away    bool // whoever connects is cut off
	conns   map[net.Conn]bool
	inbox   []received
	recipes map[string]string // what it answers to a command of a verb, by verb
	logins  int
	talks   sync.WaitGroup // one for each of conns
}

// received is a mail as it came in.
type received struct {
	from, to string
	secured  bool // over TLS, by somebody who signed in
	raw      string
}

func (r received) letter(t testing.TB) mail.Letter {
	t.Helper()
	l, err := mail.ParseLetter(strings.NewReader(r.raw))
	if err != nil {
		t.Fatalf("%v in %s", err, r.raw)
	}
	return l
}

// newMailServer starts one; kind is "starttls", "smtps" or "plain".
func newMailServer(t testing.TB, kind string) *mailServer {
	t.Helper()
	s := &mailServer{first: kind == "smtps", conns: map[net.Conn]bool{}, recipes: map[string]string{}}
	if kind != "plain" {
		s.tls, s.roots = certificate(t)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s.address = l.Addr().String()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.listen(l)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
		s.down()
	})
	return s
}

func certificate(t testing.TB) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// smtp is how the server is reached; its certificate is trusted.
func (s *mailServer) smtp(t testing.TB) *mail.SMTP {
	t.Helper()
	scheme, query, who := "smtp", "", "waybill%40example.net:pa%2Fss%3Aw%40rd%20of%20the%20mail%20server@"
	switch {
	case s.tls == nil:
		who, query = "", "?tls=off"
	case s.first:
		scheme = "smtps"
	}
	parsed, err := mail.ParseSMTP(scheme + "://" + who + s.address + query)
	must(t, err)
	parsed.Roots, parsed.Timeout = s.roots, patience
	return parsed
}

func (s *mailServer) listen(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.away {
			_ = c.Close()
		} else {
			s.conns[c] = true
			s.talks.Go(func() {
				_ = s.converse(c)
				_ = c.Close()
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
			})
		}
		s.mu.Unlock()
	}
}

// down ends whatever is under way, and serves nobody from now on. The port stays:
// somebody else might take it.
func (s *mailServer) down() {
	s.mu.Lock()
	s.away = true
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.talks.Wait()
}

// up serves again.
func (s *mailServer) up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = false
}

// answers makes the server answer a verb so; an empty answer is the usual one.
func (s *mailServer) answers(verb, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recipes[verb] = line
}

// mails returns what came in for somebody, or (empty) for anybody.
func (s *mailServer) mails(to string) []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []received
	for _, r := range s.inbox {
		if to == "" || r.to == to {
			all = append(all, r)
		}
	}
	return all
}

func (s *mailServer) converse(c net.Conn) error {
	secured, known := false, s.tls == nil
	if s.first {
		c, secured = tls.Server(c, s.tls), true
	}
	r := bufio.NewReader(c)
	say := func(format string, args ...any) error { _, err := fmt.Fprintf(c, format+"\r\n", args...); return err }
	if err := say("220 test ESMTP"); err != nil {
		return err
	}
	var m received
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		s.mu.Lock()
		special := s.recipes[verb]
		s.mu.Unlock()
		if special != "" && verb != "DATA" {
			if err := say("%s", special); err != nil {
				return err
			}
			continue
		}
		switch verb {
		case "EHLO":
			ext := []string{"test", "ENHANCEDSTATUSCODES", "8BITMIME"}
			if s.tls != nil && !secured {
				ext = append(ext, "STARTTLS")
			} else if s.tls != nil {
				ext = append(ext, "AUTH PLAIN LOGIN")
			}
			for i, e := range ext {
				sep := "-"
				if i == len(ext)-1 {
					sep = " "
				}
				err = say("250%s%s", sep, e)
			}
		case "STARTTLS":
			if err := say("220 2.0.0 go on"); err != nil {
				return err
			}
			c, secured = tls.Server(c, s.tls), true
			r = bufio.NewReader(c)
		case "AUTH":
			proof, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			if known = string(proof) == "\x00"+smtpUser+"\x00"+smtpPassword; !known {
				err = say("535 5.7.8 wrong: %s", proof) // repeating what it was told, as bad servers do
				break
			}
			s.mu.Lock()
			s.logins++
			s.mu.Unlock()
			err = say("235 2.7.0 welcome")
		case "MAIL":
			if !known {
				err = say("530 5.7.0 sign in first")
				break
			}
			m = received{from: between(rest), secured: secured && known}
			err = say("250 2.1.0 ok")
		case "RCPT":
			m.to = between(rest)
			err = say("250 2.1.5 ok")
		case "DATA":
			if err := say("354 go on"); err != nil {
				return err
			}
			text, readErr := io.ReadAll(textproto.NewReader(r).DotReader())
			if readErr != nil {
				return readErr
			}
			m.raw = string(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")))
			if special != "" {
				err = say("%s", special)
				break
			}
			s.mu.Lock()
			s.inbox = append(s.inbox, m)
			s.mu.Unlock()
			err = say("250 2.0.0 taken")
		case "RSET", "NOOP":
			err = say("250 2.0.0 ok")
		case "QUIT":
			return say("221 2.0.0 bye")
		default:
			err = say("502 5.5.1 what?")
		}
		if err != nil {
			return err
		}
	}
}

func between(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
