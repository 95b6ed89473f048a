package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"waybill/aggregates/commandapi"
	"waybill/cmd/waybill/remote"
	"waybill/cmd/waybill/verb"
)

// upload sends the file to a server, which imports it into the organisation of who
// asks.
func (c *importCmd) upload(ctx context.Context, m *Main, all verbs) (err error) {
	if c.Organisation != "" {
		return &usageError{errors.New("--organisation is for the data directory; a server knows the organisation by who asks it")}
	}
	v, given, err := c.given(all)
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return &usageError{err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	started := time.Now()
	shown := newBar(m.Stderr)
	defer shown.finish()
	var out commandapi.Imported
	answer, err := c.elsewhere(ctx, m, v, given, func(r *remote.Request) {
		r.Body, r.Length, r.Media, r.Slow = &sending{file: f, size: info.Size(), bar: shown}, info.Size(), v.Route.Media, true
	}, &out)
	var refused *serverError
	if errors.As(err, &refused) && importFlag(refused.problem) != "" {
		refused.text += " (" + importFlag(refused.problem) + ")"
	}
	if err != nil {
		return err
	}
	shown.finish()
	rep, err := newReport(c.Report)
	if err != nil {
		return err
	}
	for _, r := range out.Rejections {
		rep.reject(r)
	}
	for _, n := range out.Notes {
		rep.note(n)
	}
	if c.JSON {
		_, err = m.Stdout.Write(answer)
	} else {
		printUpload(m.Stdout, c.File, out, time.Since(started))
		rep.print(m.Stdout)
	}
	if err = errors.Join(err, rep.close()); err != nil {
		return err
	}
	if more := out.RowsRejected - len(out.Rejections); more > 0 {
		fmt.Fprintf(m.Stderr, "waybill: %s more rows were not taken, which the server does not list\n", thousands(more))
	}
	if out.RowsRejected > 0 {
		return errRejected
	}
	return nil
}

// given is what the flags say, as the route takes it.
func (c *importCmd) given(all verbs) (verb.Verb, verb.Given, error) {
	v, _ := all.find("import")
	given := verb.Given{Values: map[string][]string{"filename": {filepath.Base(c.File)}}}
	set := func(name, value string) {
		if value != "" {
			given.Values[name] = []string{value}
		}
	}
	if len(c.Column) > 0 {
		text, err := json.Marshal(c.Column, json.Deterministic(true))
		if err != nil {
			return v, given, err
		}
		set("column", string(text))
	}
	if c.CreateGroups {
		set("create-groups", strconv.FormatBool(c.CreateGroups))
	}
	if c.DryRun {
		set("dry-run", strconv.FormatBool(c.DryRun))
	}
	config, err := c.config()
	if err != nil {
		return v, given, err
	}
	if config.Delimiter != 0 {
		set("delimiter", string(config.Delimiter))
	}
	set("template", c.Template)
	set("date-order", c.DateOrder)
	set("encoding", c.Encoding)
	set("sheet", c.Sheet)
	// What the route calls the mapping is typed as columns.
	v.Inputs = slices.Clone(v.Inputs)
	for i, in := range v.Inputs {
		if in.Name == "mapping" {
			v.Inputs[i].Name = "column"
		}
	}
	return v, given, nil
}

func printUpload(w io.Writer, file string, out commandapi.Imported, took time.Duration) {
	text, made := "", "made"
	if out.DryRun {
		text, made = "nothing was changed; ", "to be made"
	}
	fmt.Fprintf(w, "%s%s: %s deliveries; %s new, %s already known, %s rows not taken; %s groups %s (%.1f s)\n", text, filepath.Base(file),
		thousands(out.Deliveries), thousands(out.Created), thousands(out.AlreadyKnown), thousands(out.RowsRejected), thousands(out.GroupsCreated), made, took.Seconds())
}

// sending is a file that shows how much of it has been sent.
type sending struct {
	file *os.File
	size int64
	sent int64
	bar  *bar
}

// Read implements io.Reader.
func (s *sending) Read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	s.sent += int64(n)
	s.bar.show("sending", s.sent, s.size, true)
	return n, err
}
