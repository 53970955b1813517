package letter

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"

	"kreislauf/internal/money"
)

// The limits of a GiroCode (EPC069-12): the library knows neither.
const (
	giroBytes   = 331
	giroVersion = 13
)

// giroCode makes the QR code of a SEPA transfer, as rows of dark (true) and light squares.
func giroCode(bic, name, iban, reference string, amount money.Cents) ([][]bool, error) {
	// service, version 2 (the BIC may be missing), UTF-8, SEPA transfer, …, purpose and structured reference are empty
	content := strings.Join([]string{"BCD", "002", "1", "SCT", bic, name, iban, "EUR" + amount.String(), "", "", reference}, "\n")
	if len(content) > giroBytes || amount < 1 || amount > 999_999_999_99 {
		return nil, fmt.Errorf("make GiroCode: %d bytes and EUR %s, at most %d bytes and 999999999.99 are allowed", len(content), amount, giroBytes)
	}
	code, err := qr.Encode(content, qr.M, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("make GiroCode: %w", err)
	}
	side := code.Bounds().Dx()
	if version := (side - 17) / 4; version > giroVersion {
		return nil, fmt.Errorf("make GiroCode: version %d of the code, at most %d is allowed", version, giroVersion)
	}
	rows := make([][]bool, side)
	for y := range rows {
		rows[y] = make([]bool, side)
		for x := range rows[y] {
			rows[y][x] = color.GrayModel.Convert(code.At(x, y)) == color.Gray{}
		}
	}
	return rows, nil
}
