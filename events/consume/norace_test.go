//go:build !race

package consume_test

// raceDetector says that this test binary looks for data races.
const raceDetector = false
