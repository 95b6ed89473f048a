package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// readme returns README.md from a title on, up to the next one.
func readme(t *testing.T, title string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("README.md has no part %q", title)
	}
	part, _, _ := strings.Cut(after, "\n## ")
	return part
}

func TestTheTourOfTheCommandLineWorksWhenItIsPasted(t *testing.T) {
	t.Parallel()
	_, script, _ := strings.Cut(readme(t, "From the command line"), "```sh\n")
	script, _, ok := strings.Cut(script, "```")
	if !ok || strings.Count(script, "\n") < 6 {
		t.Fatalf("there is no tour:\n%s", script)
	}
	dir := dataDir(t)
	s := startServer(t, "demo", "--listen", "127.0.0.1:0", "--data", dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "waybill")); err != nil {
		t.Fatal(err)
	}
	sh := exec.CommandContext(t.Context(), "sh", "-e", "-x", "-c", script)
	sh.Env = append(os.Environ(), asProgram+"=1", "PATH="+bin+":"+os.Getenv("PATH"), "XDG_CONFIG_HOME="+t.TempDir(), "HOME="+t.TempDir(),
		"WAYBILL_SERVER="+s.url, "WAYBILL_DATA="+dir)
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"signed in", "DO-", "Completed", "kim@fruit.example", "dry_run", `"do_number":"K-1"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the tour does not show %q:\n%s", want, out)
		}
	}
}

func TestTheREADMENamesEveryNoun(t *testing.T) {
	t.Parallel()
	all, err := declared()
	if err != nil {
		t.Fatal(err)
	}
	part := readme(t, "From the command line")
	for _, v := range all {
		if !strings.Contains(part, "`"+v.Noun+"`") && !own(v) {
			t.Errorf("README.md does not name %s, of %s", v.Noun, v)
		}
	}
}
