package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"waybill/events/fault"
)

// Transport hands mails over. It is safe for concurrent use.
type Transport interface {
	// Send returns once the mail is accepted. Errors: *Refusal about this mail,
	// *Away when none can be sent.
	Send(ctx context.Context, m Message) error
}

// SMTP is a mail server. Make it with [ParseSMTP].
type SMTP struct {
	host     string
	port     int
	user     string
	password string
	implicit bool // TLS from the first byte
	policy   gomail.TLSPolicy

	// Roots are the certificates to trust; nil = the system's.
	Roots *x509.CertPool
	// Timeout bounds one mail. Defaults to 30 s.
	Timeout time.Duration
}

// ParseSMTP reads smtp://user:password@host:587, which goes over to TLS before
// anything is said, or smtps://, which is TLS from the first byte. Without TLS
// mail goes to this very machine, or when the URL says ?tls=off, and a password
// never leaves it. Errors: Invalid, which do not repeat the URL.
func ParseSMTP(text string) (*SMTP, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return nil, badURL("it must look like smtp://user:password@host:587 or smtps://user:password@host:465, with what is special in user and password percent-encoded")
	}
	s := &SMTP{host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", policy: gomail.TLSMandatory, Timeout: 30 * time.Second}
	if s.implicit {
		s.port = 465
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, badURL("its port must be from 1 to 65535")
		}
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	here := s.host == "localhost" || net.ParseIP(s.host) != nil && net.ParseIP(s.host).IsLoopback()
	if here {
		s.policy = gomail.TLSOpportunistic
	}
	for name, values := range u.Query() {
		if name != "tls" || len(values) != 1 || values[0] != "off" || s.implicit {
			return nil, badURL("the only thing that it may say besides is ?tls=off, with smtp://")
		}
		if s.user != "" && !here {
			return nil, badURL("a password is sent over TLS only; leave ?tls=off out")
		}
		s.policy = gomail.NoTLS
	}
	return s, nil
}

func badURL(what string) error {
	return fault.New(fault.Invalid, "smtp-url", "The address of the mail server cannot be used: %s", what)
}

// String says which server it is, without secrets.
func (s *SMTP) String() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

// GoString is String for %#v.
func (s *SMTP) GoString() string { return s.String() }

// Send implements [Transport], over a connection of its own.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, err := m.compose()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	var conn net.Conn
	client, err := gomail.NewClient(s.host, s.options(ctx, &conn)...)
	if err != nil {
		return away("mail server %s: it cannot be spoken to", s)
	}
	defer func() {
		if conn != nil {
			_ = conn.Close() // whatever the dialogue came to
		}
	}()
	if err := client.DialWithContext(ctx); err != nil {
		return away("mail server %s: %s", s, s.why(err))
	}
	err = client.Send(msg)
	if err == nil || msg.IsDelivered() { // what comes after the server's yes is no matter
		_ = client.Close()
		return nil
	}
	return refusal(err)
}

// options are those of one connection, which is left in conn and ends with ctx.
func (s *SMTP) options(outer context.Context, conn *net.Conn) []gomail.Option {
	config := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.Roots}
	dial := func(ctx context.Context, network, address string) (c net.Conn, err error) {
		if s.implicit {
			c, err = (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
		} else {
			c, err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
		if err != nil {
			return nil, err
		}
		*conn = c
		context.AfterFunc(outer, func() { _ = c.Close() }) // the dialogue knows of no context
		return c, nil
	}
	opts := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(s.Timeout), gomail.WithTLSConfig(config), gomail.WithTLSPolicy(s.policy),
		gomail.WithDialContextFunc(dial), gomail.WithoutNoop(),
	}
	if s.implicit {
		opts = append(opts, gomail.WithSSL())
	}
	if s.user != "" {
		opts = append(opts, gomail.WithUsername(s.user), gomail.WithPassword(s.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return opts
}

// why says what kept a connection from being made. What the server said in plain
// words is left out: it may repeat what it was told.
func (s *SMTP) why(err error) string {
	var answer *textproto.Error
	var unknown *tls.CertificateVerificationError
	var network *net.OpError
	switch {
	case errors.As(err, &answer):
		return fmt.Sprintf("it turned us away with code %d", answer.Code)
	case errors.As(err, &unknown):
		return "its certificate is not trusted"
	case errors.As(err, &network):
		return network.Op + ": " + network.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer in time"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case s.policy == gomail.TLSMandatory && !s.implicit:
		return "it offers no TLS, or no way to sign in that is known"
	}
	return "no understanding with it"
}

// refusal tells what became of a mail that the server did not take.
func refusal(err error) error {
	var e *gomail.SendError
	if !errors.As(err, &e) {
		return &Refusal{Reason: "the connection broke off"}
	}
	what := map[gomail.SendErrReason]string{
		gomail.ErrSMTPMailFrom: "the sender", gomail.ErrSMTPRcptTo: "the recipient",
		gomail.ErrSMTPData: "the mail", gomail.ErrSMTPDataClose: "the mail",
	}[e.Reason]
	if what == "" || e.ErrorCode() == 0 {
		return &Refusal{Reason: "the connection broke off"}
	}
	codes := strconv.Itoa(e.ErrorCode())
	if more := e.EnhancedStatusCode(); more != "" {
		codes += " " + more
	}
	return &Refusal{Permanent: e.ErrorCode() >= 500, Reason: fmt.Sprintf("the mail server refused %s (%s)", what, codes)}
}
