package importing

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestWhatAKilledImportLeftIsRemovedByTheNext(t *testing.T) {
	t.Parallel()
	const gone = math.MaxInt32 // no process has that number, and none will be given it
	dir := t.TempDir()
	left := []string{
		filepath.Join(dir, scratchPrefix+strconv.Itoa(gone)+"-1"),
		filepath.Join(dir, scratchPrefix+strconv.Itoa(os.Getpid())+"-1"), // of one before it that had its number
	}
	kept := []string{filepath.Join(dir, scratchPattern()+"1"), filepath.Join(dir, scratchPrefix+"x"), filepath.Join(dir, "other")}
	for _, path := range append(kept, left...) {
		if err := os.MkdirAll(filepath.Join(path, "rows"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sweep(dir)
	for _, path := range left {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range kept {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s was removed: it is not of a process that is gone", path)
		}
	}
}

func TestScratchFilesHaveNoName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := scratchFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the directory holds %v (%v)", left, err)
	}
	if _, err := f.WriteString("row"); err != nil {
		t.Error(err)
	}
}
