package main

import (
	"archive/zip"
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"waybill/aggregates/commandapi"
	"waybill/projections/postgres"
)

// importSize is how large the files are, in MB; WAYBILL_IMPORT_MB asks for others,
// such as 300.
func importSize(t *testing.T) int {
	t.Helper()
	text := os.Getenv("WAYBILL_IMPORT_MB")
	if text == "" {
		return 24
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("WAYBILL_IMPORT_MB=%q: want a whole number from 1", text)
	}
	return n
}

// Ceilings of what a process may take in memory while it imports a file, in MiB,
// whatever the file's size. (The event store is another process here: its index
// grows with the number of streams.)
const (
	importCeiling = 192 * memoryOfTests
	serverCeiling = 384 * memoryOfTests
)

// rowsOfADelivery stand as far apart as the file allows.
const rowsOfADelivery = 40

// export hands out the rows of an export of about so many bytes, and returns how
// many deliveries they make.
func export(bytes int, prefix string, row func(cells ...string)) int {
	row("customer code", "do number", "date", "address", "recipient", "description", "quantity")
	const perRow = 110
	deliveries := max(bytes/perRow/rowsOfADelivery, 1)
	for r := range rowsOfADelivery {
		for i := range deliveries {
			row(fmt.Sprintf("CUSTOMER-%d", i%200), fmt.Sprintf("%s-%08d", prefix, i), fmt.Sprintf("2026-%02d-%02d", 1+i%12, 1+i%28),
				fmt.Sprintf("%d Mill Lane, Springfield", i%997), "Ann Example", fmt.Sprintf("Apples, red, box %d of 40", r), strconv.Itoa(1+i%90))
		}
	}
	return deliveries
}

// text writes an export as CSV.
func text(w io.Writer, bytes int, prefix string) int {
	b := bufio.NewWriter(w)
	n := export(bytes, prefix, func(cells ...string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, "%q", c)
		}
		b.WriteByte('\n')
	})
	_ = b.Flush() // the other end tells when it broke off
	return n
}

// book writes an export as a workbook, whose parts are not compressed.
func book(t *testing.T, path string, bytes int, prefix string) int {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	part := func(name string) *bufio.Writer {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		return bufio.NewWriter(w)
	}
	b := part("xl/workbook.xml")
	b.WriteString(`<workbook xmlns:r="r"><sheets><sheet name="One" sheetId="1" r:id="a"/></sheets></workbook>`)
	b.Flush()
	b = part("xl/_rels/workbook.xml.rels")
	b.WriteString(`<Relationships><Relationship Id="a" Type="x/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`)
	b.Flush()
	b = part("xl/worksheets/sheet1.xml")
	b.WriteString(`<worksheet><sheetData>`)
	number := 0
	n := export(bytes/3, prefix, func(cells ...string) { // the same row takes about three times as much
		number++
		fmt.Fprintf(b, `<row r="%d">`, number)
		for i, c := range cells {
			fmt.Fprintf(b, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, number, c)
		}
		b.WriteString(`</row>`)
	})
	b.WriteString(`</sheetData></worksheet>`)
	b.Flush()
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// peak is the most that a process has had in memory so far, in MiB; 0 when it has
// ended.
func peak(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kib, _ := strconv.Atoi(f[1])
			return kib >> 10
		}
	}
	return 0
}

func TestMemoryDoesNotGrowWithTheFileThatIsImported(t *testing.T) {
	t.Parallel()
	size := importSize(t) * 1_000_000
	dir := dataDir(t)
	pg, err := postgres.Start(t.Context(), postgres.Config{Dir: filepath.Join(dir, "postgres"), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := pg.EnsureDatabase(t.Context(), "large"); err != nil {
		t.Fatal(err)
	}
	node := startServer(t, "eventstore", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "events"))
	stores := []string{"--eventstore", node.url, "--postgres", pg.URL("large"), "--data", filepath.Join(dir, "data")}
	mustRun(t, append([]string{"organisation", "create", "Large", "--owner-name", "Olivia", "--owner-email", "olivia@example.com"}, stores...)...)
	mustRun(t, append([]string{"organisation", "group-field", "on"}, stores...)...)
	link := mustRun(t, append([]string{"sign-in-link", "olivia@example.com"}, stores...)...)

	server, out := start(t, nil, append([]string{"serve", "--listen", "127.0.0.1:0"}, stores...)...)
	eventually(t, "the server answers", func() bool { return strings.Contains(out.String(), "serves on http://") })
	_, after, _ := strings.Cut(out.String(), "serves on ")
	base, _, _ := strings.Cut(after, "\n")
	link, _, _ = strings.Cut(link[strings.Index(link, "http"):], "\n")
	owner := enter(t, base, "olivia@example.com", link)

	r, w := io.Pipe()
	made := make(chan int, 1)
	go func() {
		made <- text(w, size, "T")
		_ = w.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), "POST", base+"/v1/imports?filename=large.csv&create_groups=true", r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+owner.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got commandapi.Imported
	if err := json.UnmarshalRead(res.Body, &got); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %+v (%v)", res.Status, got, err)
	}
	if want := <-made; got.Created != want {
		t.Errorf("%d deliveries were created over HTTP, want %d: %+v", got.Created, want, got)
	}
	overHTTP := peak(server.Process.Pid)

	path := filepath.Join(t.TempDir(), "large.xlsx")
	want := book(t, path, size, "B")
	program, report := start(t, nil, append([]string{"import", path, "--create-groups"}, stores...)...)
	ended := make(chan error, 1)
	go func() { ended <- program.Wait() }()
	alone := 0
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case err = <-ended:
			over = true
		case <-tick.C:
			alone = max(alone, peak(program.Process.Pid))
		}
	}
	if err != nil || !strings.Contains(report.String(), fmt.Sprintf("make %s deliveries", thousands(want))) {
		t.Errorf("the workbook of %s deliveries (%v):\n%s", thousands(want), err, report)
	}
	t.Logf("%d MB: the server peaks at %d MiB, waybill import at %d MiB", size/1_000_000, overHTTP, alone)
	if overHTTP == 0 || overHTTP > serverCeiling || alone == 0 || alone > importCeiling {
		t.Errorf("the server peaks at %d MiB, waybill import at %d MiB; allowed are %d and %d", overHTTP, alone, serverCeiling, importCeiling)
	}
}
