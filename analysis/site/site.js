// SPDX-License-Identifier: GPL-2.0
// Searches the rows in rows.js. Without JavaScript the pages of rows.html have them all.
"use strict";
(function () {
	const MOST = 60;
	const place = document.getElementById("search-here");
	const box = document.createElement("input");
	const said = document.createElement("p");
	const list = document.createElement("ul");

	box.id = "search";
	box.type = "search";
	box.placeholder = "search rows: gup 64k instructions";
	box.setAttribute("aria-label", "search rows");
	said.className = "note";
	list.id = "found";
	place.append(box, said, list);
	for (const row of ROWS)
		row.text = (row[0] + " " + row[1]).toLowerCase();

	function show() {
		const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
		const found = words.length ? ROWS.filter(
			(row) => words.every((w) => row.text.includes(w))) : [];

		list.replaceChildren();
		said.textContent = words.length ? found.length + " rows" +
			(found.length > MOST ? ", of which " + MOST + " are shown" : "") : "";
		for (const row of found.slice(0, MOST)) {
			const item = document.createElement("li");
			const link = document.createElement("a");

			link.href = "rows/" + row[2] + ".html#" + row[0];
			link.textContent = row[1];
			item.append(link, " " + row[3]);
			list.append(item);
		}
		document.body.dataset.found = found.length;
	}
	box.addEventListener("input", show);
	if (location.hash.startsWith("#q=")) {
		box.value = decodeURIComponent(location.hash.slice(3));
		show();
	}
})();
