package main

import (
	"math"
	"slices"
	"time"
)

// Steps of a visit.
const (
	stepQuote = "quote"
	stepOrder = "order"
	stepRead  = "read"
)

// sample is one request. It is charged from when it should have started.
type sample struct {
	step  string
	due   time.Time // intended start
	began time.Time // when it was sent
	ended time.Time
	err   error
}

func (s sample) took() time.Duration { return s.ended.Sub(s.due) }

// quantile is the smallest of the durations that the share q (0 to 1) of them does not exceed; 0 without any. It sorts the list.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	rank := int(math.Ceil(q * float64(len(list))))
	return list[min(max(rank, 1), len(list))-1]
}

// median of the values: the middle one, or the mean of the two in the middle. NaN without any. It leaves the list as it is.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Clone(values)
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// exponent fits y = a * x^k and gives k: 0 when y does not grow with x, 1 when it grows as x does. NaN with fewer than two points.
func exponent(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, sxx, sxy float64
	for i := range x {
		lx, ly := math.Log(x[i]), math.Log(y[i])
		sx, sy, sxx, sxy = sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	if len(x) < 2 {
		return math.NaN()
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}
