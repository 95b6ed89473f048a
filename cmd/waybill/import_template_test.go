package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waybill/aggregates/access"
	"waybill/aggregates/command"
	"waybill/events"
)

func TestAFileIsReadAsTheTemplateSaysWhenTheFlagsSayNothing(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	path := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(path, []byte("Kunde,Auftrag,Tag\nAPL,T-1,02/03/2026\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if e := run(t, "import", path, "--data", dir); e.code != exitInput || !strings.Contains(e.stderr, "--column") {
		t.Errorf("before there is anything: %d %s", e.code, e.stderr)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		t.Errorf("a file that cannot be read left %v", entries)
	}
	mustRun(t, "organisation", "create", "Test", "--owner-name", "Olivia", "--owner-email", "olivia@example.com", "--data", dir)
	refused{[]string{"import", path, "--data", dir}, exitInput, []string{"no column", "--column"}}.check(t)
	var head events.Position
	err := withSystem(t.Context(), systemConfig{storageFlags: storageFlags{Data: dir}, Log: discard()}, func(ctx context.Context, s *system) error {
		if err := s.caughtUp(ctx); err != nil {
			return err
		}
		org, err := s.organisation(ctx, "")
		if err != nil {
			return err
		}
		res, err := s.commands.SetImportTemplate(ctx, access.System(org.ID), command.Envelope{}, command.SetImportTemplate{Template: events.ImportTemplate{
			Columns: map[string]string{"group": "Kunde", "number": "Auftrag", "date": "Tag"}, DateFormat: "DD/MM/YYYY"}})
		head = res.Position
		return err
	})
	if err != nil || head.IsZero() {
		t.Fatalf("set the template: %v", err)
	}
	if out := mustRun(t, "import", path, "--create-groups", "--data", dir); !strings.Contains(out, "1 new") {
		t.Errorf("with the template: %s", out)
	}
	refused{[]string{"import", path, "--column", "group=Nothing", "--data", dir}, exitInput, []string{`no column "Nothing"`}}.check(t)
	refused{[]string{"import", path, "--template", "x", "--data", dir}, exitUsage, []string{"--template"}}.check(t)
}
