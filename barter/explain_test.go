package barter

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// explained is an explanation in lines.
func explained(e Explanation) string {
	var b strings.Builder
	for _, d := range e.Debts {
		fmt.Fprintf(&b, "server %d: confirmed %d claimed %d paid %d owed %d owes %d given %d received %d eligible %v\n",
			d.Server, d.Confirmed, d.Claimed, d.Paid, d.Owed, d.Owes, d.Given, d.Received, d.Eligible)
	}
	for _, w := range e.Services {
		fmt.Fprintf(&b, "service %d: own %v runs %v cost %d, %d of %d for %d loss %.2f gain %.2f: %s\n",
			w.Service, w.Own, w.Runs, w.Cost, w.Live, w.Wanted, w.For, w.Loss, w.Gain, w.Ends)
	}
	return b.String()
}

func TestExplain(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"G2 A owes C", `server 2: confirmed [1] claimed [] paid [1] owed 0 owes 0 given 2 received 0 eligible true
server 3: confirmed [1] claimed [] paid [] owed 1 owes 0 given 1 received 1 eligible true
service 1: own true runs true cost 1, 2 of 4 for [2] loss 0.00 gain 0.00: never: it is this server's own
service 2: own true runs true cost 1, 0 of 4 for [] loss 0.00 gain 0.00: never: it is this server's own
service 3: own false runs true cost 1, 2 of 4 for [3] loss 1.00 gain 0.00: ` +
			"4 epochs after the last of 3 ceases to serve us; from epoch 105, if what is worth more than 1.25 needs the room\n"},
		{"G10 full: 1.075 < 1.25", `server 2: confirmed [1] claimed [] paid [] owed 1 owes 0 given 1 received 0 eligible true
server 3: confirmed [1] claimed [] paid [] owed 0 owes 0 given 1 received 0 eligible false
server 5: confirmed [1] claimed [] paid [6] owed 0 owes 0 given 1 received 1 eligible true
service 1: own true runs true cost 1, 2 of 4 for [] loss 0.00 gain 0.00: never: it is this server's own
service 2: own false runs false cost 1, 1 of 4 for [2] loss 0.00 gain 1.07: to displace #6 it has to be worth more than 1.25
service 6: own false runs true cost 1, 1 of 4 for [5] loss 1.00 gain 0.00: ` +
			"4 epochs after the last of 5 ceases to serve us; from epoch 44, if what is worth more than 1.25 needs the room\n"},
		{"G7 and not in its fourth", `server 2: confirmed [] claimed [] paid [2] owed 0 owes 1 given 0 received 0 eligible false
service 1: own true runs true cost 1, 0 of 4 for [] loss 0.00 gain 0.00: never: it is this server's own
service 2: own false runs true cost 1, 1 of 4 for [] loss 0.00 gain 0.00: in epoch 30, unless somebody who wants it serves us
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, e := range examples {
				if e.name != c.name {
					continue
				}
				x := Explain(e.input())
				if got := explained(x); got != c.want {
					t.Errorf("says\n%swant\n%s", got, c.want)
				}
				for _, d := range x.Debts {
					if one := Account(e.input(), d.Server); !reflect.DeepEqual(one, d) {
						t.Errorf("apart it says %+v, among all %+v", one, d)
					}
				}
			}
		})
	}
	if got := Account(examples[0].input(), 99); !reflect.DeepEqual(got, Debt{Server: 99}) {
		t.Errorf("of nobody: %+v", got)
	}
}
