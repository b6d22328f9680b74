package evm

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/core/types"
)

const oneLog = `{"address":"0x5fbdb2315678afecb367f032d93f642f64180aa3","topics":[` +
	`"0x1111111111111111111111111111111111111111111111111111111111111111", "0x00000000000000000000000000000000000000000000000000000000000000aB"],` +
	`"data":"0x0102", "blockNumber":"0x1f", "transactionHash":"0x2222222222222222222222222222222222222222222222222222222222222222",` +
	`"transactionIndex":"0x0","blockHash":"0x3333333333333333333333333333333333333333333333333333333333333333",` +
	`"blockTimestamp":"0x68","logIndex":"0x5","removed": false}`

// checkLogs expects logs to be read like types.Log reads them, or not at all.
func checkLogs(t *testing.T, text string) (read bool) {
	t.Helper()
	var got logs
	var want []types.Log
	err, wantErr := json.Unmarshal([]byte(text), &got), json.Unmarshal([]byte(text), &want)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%s: error is %v, want %v", text, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual([]types.Log(got), want) {
		t.Fatalf("%s: %+v, want %+v", text, got, want)
	}
	return err == nil
}

// TestLogs: logs are read as types.Log reads them, the usual form without its help.
func TestLogs(t *testing.T) {
	if _, quick := (&scanner{rest: []byte("[" + oneLog + ",\n" + oneLog + "]")}).list(); !quick {
		t.Error("the usual form is read the long way")
	}
	for _, c := range []struct {
		old, new string
		fine     bool
	}{
		{"", "", true},
		{`"removed": false`, `"removed":true`, true},
		{`"removed": false`, `"removed":1`, false},
		{`"data":"0x0102"`, `"data":"0x"`, true},
		{`"data":"0x0102"`, `"data":"0x010"`, false},
		{`"data":"0x0102"`, `"data":"0102"`, false},
		{`"data":"0x0102"`, `"data":"0X0102"`, true},
		{`"data":"0x0102"`, `"data":"0x\u0030102"`, false},
		{`"data":"0x0102",`, ``, false},
		{`"data":"0x0102"`, `"data":null`, false},
		{`"0x1f"`, `"0x01f"`, false},
		{`"0x1f"`, `"0x"`, false},
		{`"0x1f"`, `"0x1_f"`, false},
		{`"0x1f"`, `"0x1ffffffffffffffff"`, false},
		{`"logIndex"`, `"l1BatchNumber":{"a":[1,2]},"logIndex"`, true},
		{`"address":"0x5f`, `"address":"0x`, false},
		{`"topics":[`, `"topics":[],"topics":[`, true},
	} {
		text := "[" + strings.Replace(oneLog, c.old, c.new, 1) + "]"
		if read := checkLogs(t, text); read != c.fine {
			t.Errorf("with %s for %s: read: %t, want %t", c.new, c.old, read, c.fine)
		}
	}
	for _, text := range []string{"[]", "null", "{}", "[null]", `["a"]`, "[ ]"} {
		checkLogs(t, text)
	}
}

// FuzzLogs: whatever an endpoint writes, it is read like types.Log reads it.
func FuzzLogs(f *testing.F) {
	f.Add("[" + oneLog + "]")
	f.Add("[" + oneLog + " , " + strings.ToUpper(oneLog) + "]")
	f.Fuzz(func(t *testing.T, text string) { checkLogs(t, text) })
}
