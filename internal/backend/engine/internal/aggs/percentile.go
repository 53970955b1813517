package aggs

import "math"

// percentiles finds percentiles, which must ascend, by linear interpolation between the two nearest values. It orders the
// values only as far as it needs to, in place.
func percentiles(all, percents []float64) []float64 {
	out := make([]float64, len(percents))
	from := 0 // everything before is in its place
	for i, p := range percents {
		if len(all) == 0 {
			out[i] = math.NaN()
			continue
		}
		at := p / 100 * float64(len(all)-1)
		n := int(at)
		place(all, from, n)
		from = n
		out[i] = all[n]
		if n+1 < len(all) {
			next := all[n+1]
			for _, x := range all[n+2:] {
				next = min(next, x)
			}
			out[i] += (next - all[n]) * (at - float64(n))
		}
	}
	return out
}

// place moves the value that belongs to position n in ascending order there, smaller ones before it and larger ones
// behind it (Hoare's selection). Positions before from are not touched.
func place(all []float64, from, n int) {
	lo, hi := from, len(all)-1
	for lo < hi {
		pivot := choosePivot(all, lo, hi, n)
		i, j := lo, hi
		for i <= j {
			for all[i] < pivot {
				i++
			}
			for all[j] > pivot {
				j--
			}
			if i <= j {
				all[i], all[j] = all[j], all[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			hi = j
		case n >= i:
			lo = i
		default:
			return
		}
	}
}

// choosePivot takes a value from near the wanted position out of a sample, a little towards the middle: nearly all values are then
// on one side, where the wanted one is not, and branches are predicted well.
func choosePivot(all []float64, lo, hi, n int) float64 {
	if hi-lo < 64 {
		a, b, c := all[lo], all[lo+(hi-lo)/2], all[hi]
		return max(min(a, b), min(max(a, b), c))
	}
	const size = 15
	var sample [size]float64
	for i := range sample {
		x := all[lo+(hi-lo)*i/(size-1)]
		j := i
		for ; j > 0 && sample[j-1] > x; j-- {
			sample[j] = sample[j-1]
		}
		sample[j] = x
	}
	at := (n - lo) * size / (hi - lo + 1)
	switch {
	case at > size/2+1:
		at--
	case at < size/2-1:
		at++
	}
	return sample[at]
}
