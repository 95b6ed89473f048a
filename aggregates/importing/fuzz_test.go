package importing_test

import (
	"testing"
	"time"

	"waybill/aggregates/importing"
	"waybill/events"
)

// Whatever the bytes, reading ends, and what is taken is fit to be decided on:
// keys are there, dates are dates, every row is either taken once or reported.
func FuzzAnyFileIsTakenWholeOrReported(f *testing.F) {
	const good = "customer code,do number,date,quantity,item\nA,1,2026-03-01,2,x\n,2,2-Jun-06,,\nA,1,2026-03-01,1,y\n"
	for _, seed := range []string{good, "\uFEFF" + good, "customer code;do number;date\r\nA;\"1\r\n\";13/02/2026\r\n", "PK\x03\x04", "\xff\xfea\x00", "customer code\tdo number\tdate\rA\t1\t01/02/26\r"} {
		f.Add([]byte(seed))
	}
	f.Add(book(f, []any{"Customer Code", "D.O. No.", "Delivery Date"}, []any{"A", "1", 46082}))
	f.Fuzz(func(t *testing.T, contents []byte) {
		out, err := read(t, "fuzz", contents, importing.Config{SortMemory: 4096})
		if err != nil {
			return
		}
		seen := map[int]bool{}
		take := func(row int) {
			if seen[row] {
				t.Fatalf("row %d came out twice", row)
			}
			seen[row] = true
		}
		for _, d := range out.drafts {
			if d.DONumber == "" || (d.Type != events.TypeDelivery && d.Type != events.TypeCollection) || len(d.Rows) == 0 {
				t.Fatalf("unfit draft %+v", d)
			}
			if _, err := time.Parse(time.DateOnly, d.Date); err != nil {
				t.Fatalf("draft with date %q", d.Date)
			}
			for _, r := range d.Rows {
				take(r)
			}
		}
		for _, r := range out.rejected {
			if r.Reason == "" {
				t.Fatalf("rejected without a reason: %+v", r)
			}
			take(r.Row)
		}
		if len(seen) != out.rows {
			t.Fatalf("%d rows came out of %d", len(seen), out.rows)
		}
	})
}

// Staging and sorting use the same memory whatever the size of the file.
func BenchmarkStage(b *testing.B) {
	var contents []byte
	contents = append(contents, "customer code,do number,date,description,quantity\n"...)
	const rows = 50_000
	for i := range rows {
		contents = append(contents, "CUSTOMER-7,DO-"...)
		contents = append(contents, []byte(time.Unix(int64(i*7919%rows), 0).UTC().Format("150405.2"))...)
		contents = append(contents, ",2026-03-01,\"Nevirapine 200mg, tablets, 60 Tabs\",1000\n"...)
	}
	b.SetBytes(int64(len(contents)))
	for b.Loop() {
		if _, err := read(b, "bench.csv", contents, importing.Config{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
