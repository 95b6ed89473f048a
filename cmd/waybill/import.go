package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"waybill/aggregates/importing"
	"waybill/events/fault"
)

// importCmd imports a file, alone, beside a running server or through one.
type importCmd struct {
	File         string `arg:"" placeholder:"FILE" help:"The file: .csv, .tsv, .txt or .xlsx, told by what it holds."`
	Organisation string `placeholder:"NAME" help:"Name or id of the organisation. Default: the only one."`
	CreateGroups bool   `help:"Make a group for every customer code that is not known. Default: rows with such a code are not taken."`
	DryRun       bool   `help:"Tell what the import would do, row by row, and change nothing."`
	Template     string `placeholder:"GROUP" help:"Id of the group whose import template says what --column and --date-order leave open. Default: the organisation's template."`
	reportFlags
	fileFlags
	elsewhereFlags
	storageFlags
	logFlags
}

// reportFlags say how an import reports.
type reportFlags struct {
	Report string `placeholder:"FILE" help:"Write every row that was not taken, and why, to this CSV file."`
	JSON   bool   `name:"json" help:"Tell the result as JSON."`
}

// Run implements the verb.
func (c *importCmd) Run(ctx context.Context, m *Main, all verbs) error {
	if c.Server != "" {
		return c.upload(ctx, m, all)
	}
	job, unread := c.read(ctx, m, c.fileFlags)
	if unread != nil && !c.hopeful(unread) {
		return unread
	}
	var sum importSummary
	err := withSystem(ctx, systemConfig{storageFlags: c.storageFlags, Guest: true, Pace: m.pace, Log: c.logger(m.Stderr)}, func(ctx context.Context, s *system) error {
		if err := s.caughtUp(ctx); err != nil {
			return err
		}
		org, err := s.organisation(ctx, c.Organisation)
		if err != nil {
			return cmp.Or(unread, err)
		}
		if job, err = c.templated(ctx, m, s, org.ID, job, unread); err != nil {
			return err
		}
		if sum, err = s.importFile(ctx, org.ID, importOptions{c.CreateGroups, c.DryRun}, job); err != nil {
			return err
		}
		return s.progress.Wait(ctx, sum.Position)
	})
	var refused *fault.Error
	if errors.As(err, &refused) && refused.Code == "group-field-off" {
		err = fmt.Errorf("%w Turn it on with: waybill organisation group-field on", err)
	}
	if job != nil {
		err = errors.Join(err, job.close())
	}
	if err != nil {
		return err
	}
	if err := printImport(m.Stdout, sum, job.report, c.JSON); err != nil {
		return err
	}
	if sum.RejectedRows > 0 {
		return errRejected
	}
	return nil
}

// importResult is an import as --json tells it.
type importResult struct {
	importSummary `json:",inline"`
	Rejected      []importing.Rejection `json:"rejected"` // the first of them
	Notes         []importing.Note      `json:"notes"`    // the first of them
}

func printImport(w io.Writer, sum importSummary, rep *report, asJSON bool) error {
	if asJSON {
		return printJSON(w, importResult{sum, rep.rejected, rep.notes})
	}
	fmt.Fprintln(w, sum)
	if sum.DryRun && len(sum.Groups) > 0 {
		shown := sum.Groups[:min(len(sum.Groups), shownGroups)]
		more := ""
		if n := sum.GroupsCreated - len(shown); n > 0 {
			more = fmt.Sprintf(" and %s more", thousands(n))
		}
		fmt.Fprintf(w, "  groups that would be made: %s%s\n", strings.Join(shown, ", "), more)
	}
	rep.print(w)
	return nil
}

func printJSON(w io.Writer, v any) error {
	text, err := json.Marshal(v, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// shownGroups is how many groups a dry run names.
const shownGroups = 20

// String is the summary for people.
func (s importSummary) String() string {
	text, made := "", "made"
	if s.DryRun {
		text, made = "nothing was changed; ", "to be made"
	}
	text += fmt.Sprintf("%s: %s rows make %s deliveries with %s items; %s new, %s already known, %s rows not taken",
		s.File, thousands(s.Rows), thousands(s.Deliveries), thousands(s.Items), thousands(s.Created), thousands(s.AlreadyKnown), thousands(s.RejectedRows))
	if s.GroupsCreated > 0 {
		text += fmt.Sprintf("; %s groups %s", thousands(s.GroupsCreated), made)
	}
	return text + fmt.Sprintf(" (%.1f s)", s.Seconds)
}

// thousands writes a number with a comma between groups of three digits.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
