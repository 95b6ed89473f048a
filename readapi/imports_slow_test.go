package readapi_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"waybill/aggregates/commandapi"
)

// upload sends a file that is written piece by piece, and gives its answer.
func (p person) upload(t *testing.T, query string) (w *io.PipeWriter, came chan answer) {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	came = make(chan answer, 1)
	req, err := http.NewRequestWithContext(t.Context(), "POST", p.s.URL+"/v1/imports?filename=slow.csv"+query, r)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+p.token)
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
	third := answer{}
	for end := time.Now().Add(time.Minute); third.status != http.StatusTooManyRequests || third.header.Get("Retry-After") == ""; {
		if third = slow.do(t, "POST", "/v1/imports", sampleFile); time.Now().After(end) { // the slow ones are here by then
			t.Fatalf("one's own third file: %d %s", third.status, third.body)
		}
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

func testAnOrganisationImportsOneFileAtATime(t *testing.T, s *stack) {
	owner := s.organisation(t, "Turns")
	const query = "&mapping=%7B%22group%22:%22-%22%7D"
	var writers []*io.PipeWriter
	var answers []chan answer
	var files []string
	for i := range 2 {
		var b strings.Builder
		b.WriteString("D.O. Number,Date\n")
		for n := range 4000 {
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
	taken, refused := 0, 0
	for i, came := range answers {
		switch a := <-came; {
		case a.status == http.StatusOK:
			taken++
		case a.status == http.StatusConflict && strings.Contains(a.body, "import-running") && a.header.Get("Retry-After") != "":
			refused = i
		default:
			t.Errorf("file %d: %d %s", i, a.status, a.body)
		}
	}
	if taken != 1 {
		t.Errorf("%d of two files were imported at the same time, want one", taken)
	}
	again := owner.do(t, "POST", "/v1/imports?filename=again.csv"+query, files[refused])
	if got := exactly[commandapi.Imported](t, again); got.Created != 4000 {
		t.Errorf("the other file, later: %+v", got)
	}
}
