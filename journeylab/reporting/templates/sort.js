// Pressed, a heading sorts its table: upwards, downwards, as it was. Missing cells stay last.
for (const table of document.querySelectorAll(".jl-table table")) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.querySelectorAll("thead th")];
  if (rows.length < 2 || table.tHead.rows.length > 1 || body.querySelector("[colspan], [rowspan]")) continue;
  const words = new Intl.Collator("en", { numeric: true });
  heads.forEach((head, place) => {
    const isNumber = head.classList.contains("number");
    const value = row => {
      const text = row.cells[place].textContent, number = parseFloat(text.replaceAll(",", ""));
      return text === "–" || (isNumber && isNaN(number)) ? null : isNumber ? number : text;
    };
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const was = head.ariaSort;
      heads.forEach(each => each.removeAttribute("aria-sort"));
      if (was !== "descending") head.ariaSort = was === "ascending" ? "descending" : "ascending";
      const sign = was === "ascending" ? -1 : 1;
      const compare = (one, other) => {
        const a = value(one), b = value(other);
        if (a === null || b === null) return (a === null) - (b === null);
        return sign * (isNumber ? a - b : words.compare(a, b));
      };
      body.append(...(was === "descending" ? rows : [...rows].sort(compare)));
    });
  });
}
