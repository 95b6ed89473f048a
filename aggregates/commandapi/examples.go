package commandapi

import "time"

// sampleTime stands for a time in examples.
func sampleTime() time.Time { return time.Date(2026, time.March, 31, 9, 30, 0, 0, time.UTC) }
