package readapi_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/aggregates/commandapi"
)

// upload sends a file that is written piece by piece, and gives its answer. What is
// written is taken once the request has been let in.
func (p person) upload(t *testing.T, query string) (w *io.PipeWriter, came chan answer) {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	came = make(chan answer, 1)
	req, err := http.NewRequestWithContext(t.Context(), "POST", p.s.URL+"/v1/imports?filename=slow.csv"+query, r)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Expect", "100-continue")
	go func() {
		res, err := p.s.Client().Do(req)
		if err != nil {
			came <- answer{body: err.Error()}
			return
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		came <- answer{res.StatusCode, res.Header, string(text)}
	}()
	return w, came
}

func testWhoSendsAFileSlowlyHoldsUpNobodyElse(t *testing.T, s *stack) {
	slow, other := s.organisation(t, "Slow"), s.organisation(t, "Other")
	other.done(t, "PUT", "/v1/settings/group-field", `{"enabled": true}`)
	const header = "D.O. Number,Date\n"
	var writers []*io.PipeWriter
	var answers []chan answer
	for i := range 2 { // as many as may be imported at a time
		w, came := slow.upload(t, "&mapping="+`%7B%22group%22:%22-%22%7D`)
		_, err := fmt.Fprintf(w, header+"S-%d,", i) // and nothing more for now
		must(t, err)
		writers, answers = append(writers, w), append(answers, came)
	}
	if got := exactly[commandapi.Imported](t, other.do(t, "POST", "/v1/imports?create_groups=true", sampleFile)); got.Created != 2 {
		t.Errorf("another organisation's import: %+v", got)
	}
	if third := slow.do(t, "POST", "/v1/imports", sampleFile); third.status != http.StatusTooManyRequests || third.header.Get("Retry-After") == "" {
		t.Errorf("one's own third file: %d %s", third.status, third.body)
	}
	for i, w := range writers {
		_, err := io.WriteString(w, "2026-03-02\n")
		must(t, err)
		must(t, w.Close())
		if got := exactly[commandapi.Imported](t, <-answers[i]); got.Created != 1 {
			t.Errorf("the slow file %d: %+v", i, got)
		}
	}
}

// held are people who are not looked up again before they are released: until then
// no import gets on.
type held struct {
	command.Identities
	release chan struct{}
}

func (h held) Again(ctx context.Context, c access.Caller) (access.Caller, error) {
	select {
	case <-h.release:
		return h.Identities.Again(ctx, c)
	case <-ctx.Done():
		return c, ctx.Err()
	}
}

func testAnOrganisationImportsOneFileAtATime(t *testing.T, s *stack) {
	release := make(chan struct{})
	o := s.besideAs(t, func(a *access.Service) command.Identities { return held{a, release} })
	owner := s.organisation(t, "Turns").at(o)
	const rows, query = 40, "&mapping=%7B%22group%22:%22-%22%7D"
	var writers []*io.PipeWriter
	var answers []chan answer
	var files []string
	for i := range 2 {
		var b strings.Builder
		b.WriteString("D.O. Number,Date\n")
		for n := range rows {
			fmt.Fprintf(&b, "T-%d-%d,2026-03-02\n", i, n)
		}
		files = append(files, b.String())
		w, came := owner.upload(t, query)
		_, err := io.WriteString(w, files[i])
		must(t, err)
		writers, answers = append(writers, w), append(answers, came)
	}
	for _, w := range writers { // both have arrived: one is imported
		must(t, w.Close())
	}
	refused := 0
	late := time.NewTimer(plenty)
	defer late.Stop()
	var a answer
	select {
	case a = <-answers[0]:
	case a = <-answers[1]:
		refused = 1
	case <-late.C:
		t.Fatal("two files are imported at the same time, want one")
	}
	if a.status != http.StatusConflict || !strings.Contains(a.body, "import-running") || a.header.Get("Retry-After") == "" {
		t.Errorf("while another file is imported: %d %s", a.status, a.body)
	}
	close(release)
	if got := exactly[commandapi.Imported](t, <-answers[1-refused]); got.Created != rows {
		t.Errorf("the file that was imported: %+v", got)
	}
	again := owner.do(t, "POST", "/v1/imports?filename=again.csv"+query, files[refused])
	if got := exactly[commandapi.Imported](t, again); got.Created != rows {
		t.Errorf("the other file, later: %+v", got)
	}
}
