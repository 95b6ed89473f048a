package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/term"

	"waybill/cmd/waybill/remote"
	"waybill/cmd/waybill/verb"
)

// asking is one verb on its way to a server.
type asking struct {
	m      *Main
	all    verbs
	v      verb.Verb
	filled reflect.Value // of the type of grammarOf
	given  verb.Given
	client *remote.Client
}

// askServer does what a verb says, with what kong has filled for it.
func (m *Main) askServer(ctx context.Context, all verbs, v verb.Verb, filled reflect.Value) error {
	a := &asking{m: m, all: all, v: v, filled: filled}
	if err := a.read(ctx); err != nil {
		return err
	}
	flags := filled.FieldByName(fieldServer).Interface().(serverKeyFlags)
	client, err := flags.client(m, flags.Server, a.sensitive())
	if err != nil {
		return err
	}
	defer client.Close()
	a.client = client
	if err := a.name(ctx); err != nil {
		return a.explain(err)
	}
	if err := a.match(ctx); err != nil {
		return a.explain(err)
	}
	request, err := v.Request(a.given)
	if err != nil {
		return err
	}
	return a.explain(a.do(ctx, request))
}

// sensitive reports whether the body holds secrets.
func (a *asking) sensitive() bool {
	for _, in := range a.v.Inputs {
		if in.Kind == verb.Secret {
			return true
		}
	}
	return false
}

// flag returns a flag that is not an input, and whether the verb has it.
func (a *asking) flag(name string) (reflect.Value, bool) {
	f := a.filled.FieldByName(name)
	return f, f.IsValid()
}

func (a *asking) on(name string) bool {
	f, ok := a.flag(name)
	return ok && f.Bool()
}

func (a *asking) answerFlags() answerFlags {
	return a.filled.FieldByName(fieldAnswer).Interface().(answerFlags)
}

// read gathers what was typed, and reads what is in files.
func (a *asking) read(ctx context.Context) error {
	a.given.Values = map[string][]string{}
	if file, ok := a.flag(fieldBody); ok && file.String() != "" {
		var err error
		if a.given.Body, err = a.m.readBody(file.String()); err != nil {
			return err
		}
	}
	for i, in := range a.v.Inputs {
		var values []string
		switch typed := a.filled.FieldByName("Input" + strconv.Itoa(i)).Interface().(type) {
		case string:
			values = []string{typed}
		case *string:
			if typed != nil {
				values = []string{*typed}
			}
		case *bool:
			if typed != nil {
				values = []string{strconv.FormatBool(*typed)}
			}
		case []string:
			values = typed
		}
		if in.Kind == verb.Secret {
			secret, err := a.secret(ctx, in, strings.Join(values, ""))
			if err != nil {
				return err
			}
			if values = nil; secret != "" {
				values = []string{secret}
			}
		}
		if values != nil {
			a.given.Values[in.Name] = values
		}
	}
	return nil
}

// secret returns a secret member of the body; empty when there is none, which is
// fine where it is not required.
func (a *asking) secret(ctx context.Context, in verb.Input, file string) (string, error) {
	if file == "" && len(a.given.Body) > 0 {
		return "", nil // it may be there
	}
	text, err := a.m.secret(ctx, in.Name, file, in.Name == "password")
	var none *usageError
	if errors.As(err, &none) && file == "" && !in.Required {
		return "", nil
	}
	return text, err
}

// maxBody bounds what is read for --json-body, in bytes; servers take no more.
const maxBody = 1 << 20

func (m *Main) readBody(file string) ([]byte, error) {
	from := m.stdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--json-body: %w", err)}
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--json-body: %w", err)
	case len(text) > maxBody:
		return nil, &usageError{fmt.Errorf("--json-body has more than %d bytes", maxBody)}
	case len(text) == 0:
		return nil, &usageError{errors.New("--json-body is empty; a JSON object is wanted")}
	}
	return text, nil
}

// do sends the request and tells the answer, page by page where all are wanted.
func (a *asking) do(ctx context.Context, request remote.Request) error {
	for first := true; ; first = false {
		answer, err := a.client.Do(ctx, request)
		if err != nil {
			return err
		}
		more := a.client.Next(answer)
		if err := a.tell(answer, first, more); err != nil {
			return err
		}
		if a.on(fieldWait) {
			if err := a.wait(ctx, answer.Header.Get(positionHeader)); err != nil {
				return err
			}
		}
		if more == "" || !a.on(fieldAll) {
			return nil
		}
		request.Path = more
	}
}

// maxAnswer bounds the answers that are read as a whole, in bytes.
const maxAnswer = 256 << 20

// tell writes an answer, and closes it.
func (a *asking) tell(answer *http.Response, first bool, more string) (err error) {
	defer answer.Body.Close()
	if file, ok := a.flag(fieldFile); ok && file.String() != "" {
		return save(file.String(), answer.Body)
	}
	out := bufio.NewWriter(a.m.Stdout)
	defer func() { err = errors.Join(err, out.Flush()) }()
	flags := a.answerFlags()
	asIs := flags.JSON && !a.on(fieldAll) && flags.Field == ""
	if kind, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";"); asIs || a.v.Route.Answer == nil && answer.StatusCode != http.StatusNoContent || kind != "application/json" && answer.StatusCode != http.StatusNoContent {
		if binary(kind) && onTerminal(a.m.Stdout) {
			return &verb.UsageError{Verb: a.v.String(), Text: "the answer is nothing to read: write it to a file with --output FILE"}
		}
		_, err = io.Copy(out, answer.Body)
		return err
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	whole := jsontext.Value(text)
	switch {
	case answer.StatusCode == http.StatusNoContent:
		_, err = fmt.Fprintln(out, "done")
	case flags.Field != "":
		err = a.field(out, whole, flags.Field)
	case flags.JSON:
		err = lines(out, whole)
	default:
		if err = a.v.Print(out, whole, first); err == nil && more != "" && !a.on(fieldAll) {
			fmt.Fprintf(a.m.Stderr, "waybill: there is more: --all, or --cursor %s\n", verb.Member(whole, "next"))
		}
	}
	return err
}

// lines writes the rows of a page, one object per line.
func lines(w io.Writer, page jsontext.Value) error {
	rows, _ := verb.Rows(page)
	for _, row := range rows {
		if err := row.Compact(); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if _, err := fmt.Fprintf(w, "%s\n", row); err != nil {
			return err
		}
	}
	return nil
}

// field writes one member of the answer, or of each of its rows.
func (a *asking) field(w io.Writer, whole jsontext.Value, name string) error {
	things := []jsontext.Value{whole}
	if rows, ok := verb.Rows(whole); ok && a.v.Route.Columns != nil {
		things = rows
	}
	for _, thing := range things {
		if _, err := fmt.Fprintln(w, verb.Member(thing, name)); err != nil {
			return err
		}
	}
	return nil
}

// save writes a file, which is there when all of it is.
func save(file string, from io.Reader) error {
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return &usageError{fmt.Errorf("--output: %s is no file", file)}
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return &usageError{fmt.Errorf("--output: %w", err)}
	}
	_, err = io.Copy(f, from)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("--output %s: %w", file, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// binary reports whether a media type is no text.
func binary(kind string) bool {
	return !strings.HasPrefix(kind, "text/") && !strings.HasSuffix(kind, "json")
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// positionHeader tells and takes positions in the log.
const positionHeader = "Waybill-Position"

// waitTime bounds --wait.
const waitTime = time.Minute

// wait returns when lists show what is at a position. The server waits for some
// seconds at a time.
func (a *asking) wait(ctx context.Context, position string) error {
	if position == "" {
		return nil // nothing was written
	}
	ctx, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	for {
		answer, err := a.client.Do(ctx, remote.Request{Method: http.MethodGet, Path: "/v1/me", Header: http.Header{positionHeader: {position}}})
		var refused *remote.ProblemError
		switch {
		case err == nil:
			return answer.Body.Close()
		case errors.As(err, &refused) && refused.Status == http.StatusGatewayTimeout && ctx.Err() == nil:
		default:
			return fmt.Errorf("it is done; waiting until lists show it: %w", err)
		}
	}
}
