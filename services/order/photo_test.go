package order

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	"kreislauf/internal/problem"
)

// taken is a photo of 40 x 24 pixels.
func taken(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 24)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// segment is an application segment of a JPEG.
func segment(marker byte, content []byte) []byte {
	return slices.Concat([]byte{0xFF, marker}, binary.BigEndian.AppendUint16(nil, uint16(len(content)+2)), content)
}

// exif is the EXIF of a camera that knows where it is.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	b := map[string][]byte{"LittleEndian": []byte("II*\x00"), "BigEndian": []byte("MM\x00*")}[order.String()]
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, e := range []struct {
		tag, value uint16
	}{{0x0100, 40}, {0x0112, orientation}} {
		b = order.AppendUint16(b, e.tag)
		b = order.AppendUint16(b, 3)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, e.value)
		b = order.AppendUint16(b, 0)
	}
	return append(b, "GPS 50.94,6.96"...)
}

// with puts segments behind the beginning of a JPEG.
func with(photo []byte, segments ...[]byte) []byte {
	return slices.Concat(photo[:2], slices.Concat(segments...), photo[2:])
}

// TestPhotosAreUpright: whatever the camera wrote, what is shown says how it was held, and nothing else.
func TestPhotosAreUpright(t *testing.T) {
	photo := taken(t)
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for n := 1; n <= 8; n++ {
			e := segment(0xE1, append([]byte("Exif\x00\x00"), exif(order, uint16(n))...))
			shown, err := developed("image/jpeg", with(photo, e, segment(0xFE, []byte("comment"))))
			if err != nil {
				t.Fatal(err)
			}
			bare, written, _, err := stripped(shown)
			if err != nil || !bytes.Equal(bare, photo) || orientation(written) != n || n == 1 && written != nil || len(written) > 26 {
				t.Errorf("%s %d: shown with %q, %v", order, n, written, err)
			}
			if again, err := developed("image/jpeg", shown); err != nil || !bytes.Equal(again, shown) {
				t.Errorf("%s %d: what is shown is changed by being shown: %v", order, n, err)
			}
		}
	}
}

func TestWhatIsKeptOfAPhoto(t *testing.T) {
	plain := taken(t)
	jfif, icc := segment(0xE0, []byte("JFIF\x00\x01\x02")), segment(0xE2, []byte("ICC_PROFILE\x00\x01\x01"))
	given := slices.Concat(with(plain, jfif, segment(0xE1, []byte("http://ns.adobe.com/xap/1.0/\x00GPS")), icc, segment(0xE2, []byte("MPF\x00"))), []byte("a video"))
	shown, err := developed("image/jpeg", given)
	if want := with(plain, jfif, icc); err != nil || !bytes.Equal(shown, want) {
		t.Errorf("%v: %q, want %q", err, shown, want)
	}
	if again, err := developed("image/jpeg", shown); err != nil || !bytes.Equal(again, shown) {
		t.Errorf("a photo that says nothing is changed: %v", err)
	}

	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 3))); err != nil {
		t.Fatal(err)
	}
	text := []byte("tEXtplace\x00GPS")
	chunk := slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(text)-4)), text, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(text)))
	const header = 8 + 25
	shown, err = developed("image/png", slices.Concat(b.Bytes()[:header], chunk, b.Bytes()[header:], []byte("more")))
	if err != nil || !bytes.Equal(shown, b.Bytes()) {
		t.Errorf("%v: %q, want %q", err, shown, b.Bytes())
	}
}

// TestStrangeOrientation: EXIF that breaks its rules says nothing.
func TestStrangeOrientation(t *testing.T) {
	good := exif(binary.LittleEndian, 6)
	if orientation(good) != 6 {
		t.Fatal("a good one is not read")
	}
	for name, change := range map[string]func([]byte) []byte{
		"empty": func([]byte) []byte { return nil }, "no order": func(b []byte) []byte { b[0] = 'X'; return b },
		"far away": func(b []byte) []byte { b[7] = 0xFF; return b }, "cut": func(b []byte) []byte { return b[:30] },
		"another type": func(b []byte) []byte { b[24] = 4; return b }, "two": func(b []byte) []byte { b[26] = 2; return b },
		"nine": func(b []byte) []byte { b[30] = 9; return b }, "zero": func(b []byte) []byte { b[30] = 0; return b },
	} {
		if got := orientation(change(slices.Clone(good))); got != 1 {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func TestPhotosThatAreRefused(t *testing.T) {
	photo := taken(t)
	huge := slices.Clone(photo)
	at := bytes.Index(huge, []byte{0xFF, 0xC0}) // start of frame: height and width
	binary.BigEndian.PutUint16(huge[at+5:], 60_000)
	binary.BigEndian.PutUint16(huge[at+7:], 60_000)
	progressive := slices.Clone(huge)
	progressive[at+1] = 0xC2
	binary.BigEndian.PutUint16(progressive[at+5:], 4000)
	binary.BigEndian.PutUint16(progressive[at+7:], 4000)
	for name, tc := range map[string]struct {
		typ   string
		photo []byte
		says  string
	}{
		"nothing but a beginning": {"image/jpeg", []byte{0xFF, 0xD8, 0xFF}, "ends too early"},
		"cut off":                 {"image/jpeg", photo[:len(photo)-40], "cannot be read"},
		"something in between":    {"image/jpeg", slices.Concat(photo[:2], []byte("x"), photo[2:]), "between its segments"},
		"huge":                    {"image/jpeg", huge, "at most 25 million"},
		"huge for its kind":       {"image/jpeg", progressive, "at most 8 million"},
		"no picture":              {"image/png", []byte("\x89PNG\r\n\x1a\nxxxxxxxx"), "cannot be read"},
		"another kind":            {"image/png", photo, "cannot be read"},
	} {
		_, err := developed(tc.typ, tc.photo)
		if problem.KindOf(err) != problem.Invalid || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, tc.says)
		}
	}
}

// TestTheDarkroomIsSmall: who waits for a place in vain is told.
func TestTheDarkroomIsSmall(t *testing.T) {
	d := make(darkroom, 1)
	leave, err := d.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second one: %v", err)
	}
	leave()
	if _, err := d.enter(t.Context()); err != nil {
		t.Error(err)
	}
}

func FuzzDeveloped(f *testing.F) {
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0xD9})
	f.Add(with([]byte{0xFF, 0xD8, 0xFF, 0xD9}, segment(0xE1, append([]byte("Exif\x00\x00"), exif(binary.LittleEndian, 6)...))))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = developed("image/jpeg", b) }) // it does not panic
}
