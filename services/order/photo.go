package order

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image/jpeg"
	"image/png"
	"runtime"
	"slices"

	"kreislauf/internal/problem"
)

// How many pixels a photo has at most. Cameras of phones with 24 megapixels fit. The decoder takes up to 3 bytes for a pixel of a usual JPEG; those of a
// progressive one and of a PNG, which no camera makes, cost up to 15 and 8.
const (
	maxPixels       = 25_000_000
	maxCostlyPixels = 8_000_000
)

// darkroom makes photos fit to be shown. It works on as many at once as there are cores, so its memory is bounded.
type darkroom chan struct{}

func newDarkroom() darkroom { return make(darkroom, runtime.GOMAXPROCS(0)) }

// enter waits for a free place, which the caller gives back; the error is ctx's, when it ends before.
func (d darkroom) enter(ctx context.Context) (leave func(), err error) {
	select {
	case d <- struct{}{}:
		return func() { <-d }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to look at a photo: %w", ctx.Err())
	}
}

// developed gives a photo as it is shown: marked with how it is upright, and without what else the camera wrote into it (place, time, device, other pictures). A
// photo that says nothing of the kind comes back as it is. Errors: Invalid, with what is wrong with the file.
func developed(typ string, photo []byte) ([]byte, error) {
	decode, config, most := jpeg.Decode, jpeg.DecodeConfig, maxPixels
	var shown, exif []byte
	if typ == "image/png" {
		decode, config, most = png.Decode, png.DecodeConfig, maxCostlyPixels
	} else {
		var progressive bool
		var err error
		if shown, exif, progressive, err = stripped(photo); err != nil {
			return nil, unreadable(typ, err)
		}
		if progressive {
			most = maxCostlyPixels
		}
	}
	c, err := config(bytes.NewReader(photo))
	if err != nil {
		return nil, unreadable(typ, err)
	}
	if int64(c.Width)*int64(c.Height) > int64(most) {
		return nil, problem.New(problem.Invalid, "The photo has %d x %d pixels; of its kind at most %d million are taken. Take it with a lower resolution.",
			c.Width, c.Height, most/1_000_000)
	}
	if _, err := decode(bytes.NewReader(photo)); err != nil {
		return nil, unreadable(typ, err)
	}
	if typ == "image/png" {
		return bare(photo), nil
	}
	if turn := orientation(exif); turn != 1 { // every viewer turns it, and nothing is lost by another compression
		return slices.Concat(shown[:2], marked(turn), shown[2:]), nil
	}
	return shown, nil
}

// marked is the segment of a JPEG with an EXIF that says nothing but how the camera was held.
func marked(orientation int) []byte {
	return append([]byte("\xFF\xE1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"),
		byte(orientation), 0, 0, 0, 0, 0, 0)
}

func unreadable(typ string, err error) error {
	return problem.New(problem.Invalid, "The file cannot be read as %s (%v); send the whole photo, or take it again.", typ, err)
}

// stripped is a JPEG without application segments and comments, but for those which say how its colours are meant; exif is the content of the
// first EXIF segment. It ends with the picture: phones put videos and more pictures behind.
func stripped(photo []byte) (shown, exif []byte, progressive bool, err error) {
	const sof2, soi, eoi, sos, app0, app1, app2, app14, app15, comment = 0xC2, 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
	early := errors.New("it ends too early")
	at := 0
	for {
		if at+2 > len(photo) {
			return nil, nil, false, early
		}
		if photo[at] != 0xFF {
			return nil, nil, false, errors.New("it has bytes between its segments")
		}
		marker := photo[at+1]
		switch {
		case marker == 0xFF: // padding
			at++
			continue
		case marker == soi:
			shown = append(shown, 0xFF, soi)
			at += 2
			continue
		case marker == eoi:
			return append(shown, 0xFF, eoi), exif, progressive, nil
		}
		if at+4 > len(photo) {
			return nil, nil, false, early
		}
		end := at + 2 + int(binary.BigEndian.Uint16(photo[at+2:]))
		if end > len(photo) || end < at+4 {
			return nil, nil, false, early
		}
		content := photo[at+4 : end]
		progressive = progressive || marker == sof2
		if marker == sos { // the picture follows, up to a marker that is neither a stuffed FF nor a restart
			for end+1 < len(photo) && (photo[end] != 0xFF || photo[end+1] == 0 || photo[end+1] >= 0xD0 && photo[end+1] <= 0xD7) {
				end++
			}
		}
		keep := marker == app0 && bytes.HasPrefix(content, []byte("JFIF\x00")) || marker == app14 ||
			marker == app2 && bytes.HasPrefix(content, []byte("ICC_PROFILE\x00")) || marker != comment && (marker < app0 || marker > app15)
		if keep {
			shown = append(shown, photo[at:end]...)
		}
		if rest, is := bytes.CutPrefix(content, []byte("Exif\x00\x00")); marker == app1 && is && exif == nil {
			exif = rest
		}
		at = end
	}
}

// orientation reads the one tag of EXIF that says how the camera was held: 1 to 8, 1 is upright (EXIF 2.32, tag 0x0112: one SHORT in the first
// directory). What breaks the rules counts as upright.
func orientation(exif []byte) int {
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(exif[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	const entry, tag, short = 12, 0x0112, 3
	list := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(list) < entry {
			return 1
		}
		if order.Uint16(list) == tag {
			n := int(order.Uint16(list[8:]))
			if order.Uint16(list[2:]) != short || order.Uint32(list[4:]) != 1 || n < 1 || n > 8 {
				return 1
			}
			return n
		}
		list = list[entry:]
	}
	return 1
}

// bare is a PNG with only the chunks that say how it looks; the decoder has accepted it. What is behind its end is left out.
func bare(photo []byte) []byte {
	looks := []string{"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "bKGD"}
	const signature, frame = 8, 12 // of a chunk: length, name, checksum
	shown := slices.Clone(photo[:signature])
	for rest := photo[signature:]; len(rest) >= frame; {
		size := int64(binary.BigEndian.Uint32(rest)) + frame
		if size > int64(len(rest)) {
			break
		}
		chunk := rest[:size]
		name := string(chunk[4:8])
		if slices.Contains(looks, name) && crc32.ChecksumIEEE(chunk[4:size-4]) == binary.BigEndian.Uint32(chunk[size-4:]) {
			shown = append(shown, chunk...)
		}
		if name == "IEND" {
			break
		}
		rest = rest[size:]
	}
	return shown
}
