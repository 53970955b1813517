import { describe, expect, it } from "vitest";
import { type Choice, choiceOf, newest, selectionOf } from "../src/order/choice";
import { rhythm, rhythmOf, weekdayName } from "../src/sites/plan";

const chosen = { plz: "50667", abfall: "170904", groesse: 7, datum: "2026-12-04" };
const typed = { name: "Erika Muster", street: "Domkloster 4", city: "Köln", site: "s-1", publicGround: true };

describe("what is kept", () => {
  it("comes back as it was chosen", () => {
    const choice = choiceOf(chosen, typed);
    expect(choice).toEqual({
      postcode: "50667", waste_code: "170904", size_m3: 7, date: "2026-12-04", address: { name: "Erika Muster", street: "Domkloster 4", city: "Köln" }, site_id: "s-1", public_ground: true,
    });
    expect(selectionOf(choice)).toEqual(chosen);
    expect(selectionOf({ ...choice, size_m3: 0 }).groesse).toBeUndefined();
  });

  it("is this browser's, unless another device went on with it", () => {
    const choice: Choice = choiceOf(chosen, typed);
    const draft = (draft_id: string, version: number) => ({ draft_id, version, choice });
    expect(newest({ id: "a", version: 2, choice }, [draft("b", 9), draft("a", 2)])).toBeUndefined();
    expect(newest({ id: "a", version: 2, choice }, [draft("b", 9), draft("a", 3)])?.version).toBe(3);
    expect(newest({ id: "a", version: 0 }, [draft("b", 9), draft("c", 1)])?.draft_id).toBe("b");
    expect(newest({ id: "a", version: 0 }, [])).toBeUndefined();
  });
});

describe("the rhythm of a standing order", () => {
  it("is weeks with a weekday, or a day of the month", () => {
    expect(rhythm("2", "5", "1")).toEqual({ every_weeks: 2, weekday: 5, month_day: 0 });
    expect(rhythm("monthly", "5", "15")).toEqual({ every_weeks: 0, weekday: 0, month_day: 15 });
    expect(rhythmOf({ every_weeks: 4, month_day: 0 })).toBe("4");
    expect(rhythmOf({ every_weeks: 0, month_day: 15 })).toBe("monthly");
    expect([weekdayName(1, "de"), weekdayName(6, "en")]).toEqual(["Montag", "Saturday"]);
  });
});
