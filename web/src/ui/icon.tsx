// Icons come from one sprite file, so they take the text colour and need no inline markup.

import sprite from "./icons.svg";

export function Icon({ name, className = "icon" }: { name: string; className?: string }) {
  return (
    <svg class={className} aria-hidden="true" focusable="false">
      <use href={`${sprite}#${name}`} />
    </svg>
  );
}

/** The symbol for an AVV code; a plain container for codes without their own. */
export function wasteIcon(code: string): string {
  const byPrefix: [string, string][] = [
    ["170904", "mixed"],
    ["170101", "concrete"],
    ["1701", "rubble"],
    ["1705", "soil"],
    ["1702", "wood"],
    ["1704", "metal"],
    ["170802", "gypsum"],
    ["200307", "bulky"],
    ["2002", "garden"],
  ];
  return byPrefix.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "waste";
}
