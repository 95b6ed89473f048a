package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waybill/cmd/waybill/remote"
)

func client(t *testing.T, server, key string) *remote.Client {
	t.Helper()
	secret, err := remote.NewSecret(key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := remote.New(remote.Config{Server: server, Key: secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func answering(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s
}

func TestAKeyFollowsNobodyElsewhere(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := answering(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	_, err := client(t, s.URL, "wbk_secret").Do(t.Context(), remote.Request{Method: http.MethodGet, Path: "/v1/me"})
	var p *remote.ProblemError
	if !errors.As(err, &p) || p.Status != http.StatusTemporaryRedirect || !strings.Contains(p.Error(), "waybill server") {
		t.Errorf("a redirect came to %v", err)
	}
	if elsewhere.Load() != 0 {
		t.Error("the request was sent on")
	}
}

func TestOnlyPagesOfTheSameServerAreFollowed(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		`</v1/users?cursor=a%2Bb>; rel="next"`:  "/v1/users?cursor=a%2Bb",
		`</v1/users?cursor=x>; rel="prev"`:      "",
		`<https://evil.example/v1>; rel="next"`: "",
		`<//evil.example/v1>; rel="next"`:       "",
		`<v1/users>; rel="next"`:                "",
		`/v1/users; rel="next"`:                 "",
		"":                                      "",
	} {
		c := client(t, "http://127.0.0.1:1", "")
		if got := c.Next(&http.Response{Header: http.Header{"Link": {link}}}); got != want {
			t.Errorf("%s goes on at %q, want %q", link, got, want)
		}
	}
}

func TestAProblemIsReadAndWhatIsNoneIsSaid(t *testing.T) {
	t.Parallel()
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/html" {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "<html>nginx</html>")
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"type":"urn:waybill:problem:too-many-tries","title":"T","status":429,"detail":"D.","errors":[{"field":"email","detail":"is wrong"}],"new":1}`)
	})
	c := client(t, s.URL+"/", "")
	var p *remote.ProblemError
	_, err := c.Do(t.Context(), remote.Request{Method: http.MethodGet, Path: "/x"})
	if !errors.As(err, &p) || p.Code != "too-many-tries" || p.Detail != "D." || p.RetryAfter != 7*time.Second || len(p.Fields) != 1 || p.Error() != "D. email: is wrong." {
		t.Errorf("the problem came to %+v", err)
	}
	_, err = c.Do(t.Context(), remote.Request{Method: http.MethodGet, Path: "/html"})
	if !errors.As(err, &p) || p.Status != http.StatusBadGateway || strings.Contains(p.Error(), "nginx") || !strings.Contains(p.Error(), "is it a waybill server?") {
		t.Errorf("a proxy's page came to %v", err)
	}
}

func TestWhoStopsWaitingIsToldWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	came := make(chan struct{}, 2)
	s := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		<-r.Context().Done()
	})
	for method, changing := range map[string]bool{http.MethodPost: true, http.MethodGet: false} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-came; cancel() }()
		_, err := client(t, s.URL, "").Do(ctx, remote.Request{Method: method, Path: "/"})
		var stopped *remote.InterruptedError
		if !errors.As(err, &stopped) || stopped.Changing != changing {
			t.Errorf("%s came to %v", method, err)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	s, err := remote.NewSecret(" wbk_secret\n")
	if err != nil || s.IsZero() {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %q", s, s, s, s), fmt.Sprintf("%v", remote.Config{Key: s})} {
		if strings.Contains(text, "wbk_secret") {
			t.Errorf("printed: %s", text)
		}
	}
	for _, bad := range []string{"wbk_a\nwbk_b", "wbk_a b", "wbk_\x7f", "wbk_é"} {
		if _, err := remote.NewSecret(bad); err == nil || strings.Contains(err.Error(), "wbk_") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAnAnswerThatBreaksOffIsNotTakenForAWholeOne(t *testing.T) {
	t.Parallel()
	s := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "the first half")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	})
	answer, err := client(t, s.URL, "").Do(t.Context(), remote.Request{Method: http.MethodGet, Path: "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var broken *remote.BrokenError
	if text, err := io.ReadAll(answer.Body); !errors.As(err, &broken) || !strings.Contains(broken.Error(), s.URL) {
		t.Errorf("%q, %v", text, err)
	}
}
