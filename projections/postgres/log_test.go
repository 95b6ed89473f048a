package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALogThatGrewTooLongIsCutAndItsEndKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "postgres.log")
	log, err := openServerLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.close()
	line := strings.Repeat("x", 1023) + "\n"
	if _, err := log.file.WriteString(strings.Repeat(line, logLimit/len(line)) + "last words\n"); err != nil {
		t.Fatal(err)
	}
	log.mark()
	if err := log.bound(); err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile(path + oldLog)
	if err != nil {
		t.Fatal(err)
	}
	if len(old) > logLimit || !strings.HasSuffix(string(old), "last words\n") {
		t.Errorf("kept %d bytes", len(old))
	}
	if tail := log.tail(); tail != "" {
		t.Errorf("the tail of a cut log is %q", tail)
	}
	if _, err := log.file.WriteString("new\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "new\n" {
		t.Errorf("after the cut: %q, %v", text, err)
	}
	if tail := log.tail(); !strings.HasSuffix(tail, "new") {
		t.Errorf("the tail is %q", tail)
	}
}

func TestTheTailHoldsOnlyWhatTheLastStartPrinted(t *testing.T) {
	t.Parallel()
	log, err := openServerLog(filepath.Join(t.TempDir(), "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.close()
	for _, line := range []string{"before\n", "after\n"} {
		log.mark()
		if _, err := log.file.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
	if tail := log.tail(); strings.Contains(tail, "before") || !strings.HasSuffix(tail, "after") {
		t.Errorf("the tail is %q", tail)
	}
}
