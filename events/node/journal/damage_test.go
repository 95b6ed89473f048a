package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFlippedByteInStoredDataIsNamedAndNeverServed(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"*.sst", "*.log"} {
		for _, part := range []float64{0.1, 0.3, 0.5, 0.7, 0.9} {
			t.Run(fmt.Sprintf("%s at %.1f", kind, part), func(t *testing.T) {
				t.Parallel()
				dir, want := t.TempDir(), 0
				j, err := Open(Options{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				for i := range 50 {
					events := some(10)
					for k := range events {
						events[k].Data = []byte(strings.Repeat(fmt.Sprint(i*k*7919), 30))
					}
					write(t, j, fmt.Sprintf("s-%d", i), NoStream, events...)
					want += 10
				}
				source := dir
				if kind == "*.log" { // as after a crash: everything is in the write-ahead log
					source = copyDir(t, dir)
				}
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				flip(t, filepath.Join(source, "data", kind), part)
				j, err = Open(Options{Dir: source})
				if err == nil {
					var got []Record
					got, err = everything(j)
					for i := 0; err == nil && i < 50; i++ {
						stream := fmt.Sprintf("s-%d", i)
						var h Head
						if h, err = j.Head(within(t), stream); err == nil {
							err = j.Stream(stream, h, 0, false, func(*Record) bool { return true })
						}
					}
					if err == nil {
						t.Errorf("served %d of %d events as if nothing had happened", len(got), want)
					}
					_ = j.Close()
				}
				if !errors.Is(err, ErrDamaged) {
					t.Errorf("%v, want ErrDamaged", err)
				}
			})
		}
	}
}

// Whatever byte of whatever file is damaged: either nothing is lost, or it is said.
func TestFlippedByteInAnyFileLosesNothingSilently(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		write(t, j, fmt.Sprintf("s-%d", i), NoStream, some(5)...)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "data", "*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	noticed := 0
	for _, file := range append(files, filepath.Join(dir, formatName)) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for k := range min(len(content), 6) {
			at := len(content) * k / 6
			spoiled := copyDir(t, dir)
			name, _ := filepath.Rel(dir, file)
			changed := []byte(string(content))
			changed[at] ^= 0x55
			if err := os.WriteFile(filepath.Join(spoiled, name), changed, 0o600); err != nil {
				t.Fatal(err)
			}
			events, err := openAndVerify(t, spoiled)
			switch {
			case err != nil:
				noticed++
				if strings.HasSuffix(name, ".sst") && !errors.Is(err, ErrDamaged) {
					t.Errorf("%s at %d: %v, want ErrDamaged", name, at, err)
				}
			case events != 150:
				t.Errorf("%s at %d: %d of 150 events, and no error", name, at, events)
			}
		}
	}
	if noticed == 0 {
		t.Error("no damage was noticed anywhere")
	}
}

func openAndVerify(t *testing.T, dir string) (int64, error) {
	t.Helper()
	j, err := Open(Options{Dir: dir})
	if err != nil {
		return 0, err
	}
	v, err := j.Verify(within(t))
	return v.Events, errors.Join(err, j.Close())
}

func copyDir(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// flip inverts a byte in the largest file that matches.
func flip(t *testing.T, pattern string, part float64) {
	t.Helper()
	names, _ := filepath.Glob(pattern)
	var largest string
	var most int64
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Size() > most {
			largest, most = name, info.Size()
		}
	}
	b, err := os.ReadFile(largest)
	if err != nil {
		t.Fatalf("nothing to damage at %s: %v", pattern, err)
	}
	used := len(b)
	for used > 0 && b[used-1] == 0 { // the log is preallocated
		used--
	}
	b[int(float64(used)*part)] ^= 0xff
	if err := os.WriteFile(largest, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
