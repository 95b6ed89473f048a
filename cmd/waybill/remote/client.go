// Package remote talks to a waybill server over HTTP, on behalf of the command
// line: it sends requests with a key, follows lists page by page, and turns
// whatever goes wrong into an error that says what to do.
//
// It must never print or log a key, nor send one where others can read it.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config says which server, and who asks.
type Config struct {
	// Server is the URL, such as "https://waybill.example". Required.
	Server string
	// Key is the token of a session or an API key; the zero Secret asks as
	// nobody.
	Key Secret
	// Sensitive requests hold secrets also without a key.
	Sensitive bool
	// Insecure lets secrets go over plain HTTP to another machine.
	Insecure bool
	// Agent is what the server is told of the program. Defaults to "waybill".
	Agent string
}

// Client talks to one server. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	key   Secret
	agent string
	http  *http.Client
}

// Bounds of waiting. Commands answer in seconds; a file may be imported for as
// long as the server lets it.
const (
	dialTime   = 10 * time.Second
	answerTime = 2 * time.Minute
)

// New returns a client. Errors: [*UsageError].
func New(cfg Config) (*Client, error) {
	base, err := parse(cfg.Server)
	if err != nil {
		return nil, err
	}
	if secret := cfg.Sensitive || !cfg.Key.IsZero(); secret && base.Scheme == "http" && !loopback(base.Hostname()) && !cfg.Insecure {
		return nil, usage("%s is another machine and is spoken to in plain HTTP: everybody on the way could read the key or the password. Use https://, or say --insecure-http", base)
	}
	if cfg.Agent == "" {
		cfg.Agent = "waybill"
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: dialTime}).DialContext
	return &Client{base: base, key: cfg.Key, agent: cfg.Agent, http: &http.Client{
		Transport: transport,
		// Wherever else one is sent, the key is not to follow.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Normal returns the one way in which the URL of a server is written. Errors:
// [*UsageError].
func Normal(server string) (string, error) {
	base, err := parse(server)
	if err != nil {
		return "", err
	}
	return base.String(), nil
}

func parse(server string) (*url.URL, error) {
	base, err := url.Parse(server)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, usage("--server takes the URL of a server, such as http://127.0.0.1:8080")
	}
	base.Host, base.Path, base.RawPath = strings.ToLower(base.Host), strings.TrimRight(base.Path, "/"), ""
	return base, nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Server returns the URL of the server.
func (c *Client) Server() string { return c.base.String() }

// Close gives back what is kept for further requests.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Request is one request.
type Request struct {
	Method string
	Path   string // escaped, with its query
	Header http.Header

	Body   io.Reader // nil = none
	Media  string    // of the body
	Length int64     // of the body, in bytes; 0 = found out
	Slow   bool      // it may take as long as it likes
}

// Do sends a request. An answer other than 2xx is an error: [*ProblemError]. Other
// errors: [*UnreachableError], [*InterruptedError]. The caller closes the body of
// the answer.
func (c *Client) Do(ctx context.Context, r Request) (*http.Response, error) {
	if !r.Slow {
		timed, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		answer, err := c.do(ctx, timed, r)
		if err != nil {
			return nil, err
		}
		// The answer has been read as far as it is needed to know that it is
		// one; what follows may take its time.
		return answer, nil
	}
	return c.do(ctx, ctx, r)
}

// do sends a request; ctx is the caller's, and timed ends when its time is over.
func (c *Client) do(ctx, timed context.Context, r Request) (*http.Response, error) {
	run, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(timed, cancel)
	req, err := http.NewRequestWithContext(run, r.Method, c.base.String()+r.Path, r.Body)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json, application/problem+json, */*;q=0.1")
	if r.Media != "" {
		req.Header.Set("Content-Type", r.Media)
	}
	if r.Length > 0 {
		req.ContentLength = r.Length
	}
	if !c.key.IsZero() {
		req.Header.Set("Authorization", "Bearer "+c.key.reveal())
	}
	answer, err := c.http.Do(req)
	if err != nil {
		cancel()
		if timed.Err() != nil {
			err = context.DeadlineExceeded
		}
		return nil, c.failed(ctx, r.Method, err)
	}
	stop() // from here on only the caller's context counts
	answer.Body = &body{answer.Body, cancel, func(err error) error {
		if ctx.Err() != nil {
			return &InterruptedError{}
		}
		return &BrokenError{Server: c.Server(), Err: err}
	}}
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, problemOf(answer)
}

// failed tells why there is no answer.
func (c *Client) failed(ctx context.Context, method string, err error) error {
	if ctx.Err() != nil {
		return &InterruptedError{Changing: method != http.MethodGet}
	}
	var op *url.Error
	if errors.As(err, &op) {
		err = op.Err // without the method and the URL, which the message has
	}
	return &UnreachableError{Server: c.Server(), Err: err}
}

// body ends its request when it is closed, and says so when it breaks off.
type body struct {
	io.ReadCloser
	end    func()
	broken func(error) error // says why it could not be read to its end
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.broken(err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// Next returns the path of the page after this one, empty when it was the last:
// what Link says, if that is on the same server.
func (c *Client) Next(answer *http.Response) string {
	for _, link := range answer.Header.Values("Link") {
		target, rel, ok := strings.Cut(link, ">")
		if !ok || !strings.Contains(rel, `rel="next"`) {
			continue
		}
		u, err := url.Parse(strings.TrimPrefix(strings.TrimSpace(target), "<"))
		if err == nil && u.Host == "" && u.Scheme == "" && strings.HasPrefix(u.Path, "/") {
			return u.RequestURI()
		}
	}
	return ""
}
