"""The looks of a report's page, for both themes and for paper."""

STYLE = """
:root{--ink:#1c2330;--dim:#5b6472;--paper:#f6f7f9;--card:#fff;--edge:#dfe3e9;--ok:#3f8f5f;--bad:#c2453c;--other:#a9b1bd;
--line:#1f5fb4;--money:#7a5cc0;--h1:#dcebfb;--h2:#b3d4f5;--h3:#82b6ea;--h4:#4f93d8;--h5:#2a70ba;--h6:#124d8c;--empty:#eef0f3}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#9aa4b2;--paper:#14171c;--card:#1c2128;--edge:#323a45;--ok:#57ab7a;
--bad:#e0665c;--other:#6b7684;--line:#6cb0f5;--money:#a78be6;--h1:#16304a;--h2:#1b456e;--h3:#235f99;--h4:#3580c4;--h5:#5ea5e6;
--h6:#a3d0fb;--empty:#262c35}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
header,main,footer{max-width:1080px;margin:0 auto;padding:0 20px}
header{padding-top:28px}footer{padding:8px 20px 40px;color:var(--dim);font-size:.86em}
h1{font-size:1.7em;margin:0;line-height:1.2;overflow-wrap:anywhere}h2{font-size:1.08em;margin:0 0 .6em}
header p{margin:.3em 0 1.2em}.dim{color:var(--dim)}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:18px 20px;margin:0 0 16px}
section>p{margin:.2em 0 .8em}section>p:last-child{margin-bottom:0}
.empty{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:30px;text-align:center}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(138px,1fr));gap:12px;margin:0 0 16px}
.tile{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:12px 14px;display:flex;flex-direction:column}
.tile b{font-size:1.55em;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums}.tile small{
color:var(--dim);margin-top:.3em}
.wide{overflow-x:auto}.wide+.wide{margin-top:18px}
table{border-collapse:collapse;width:100%;font-size:.92em}
th{text-align:left;font-weight:600;color:var(--dim);font-size:.9em;white-space:nowrap}
th,td{padding:7px 14px 7px 0;border-bottom:1px solid var(--edge);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
tbody tr:last-child td{border-bottom:0}.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
time,code{white-space:nowrap}code{font:.95em ui-monospace,Menlo,Consolas,monospace}
td b{font-weight:600}td small{display:block;color:var(--dim)}.text{display:block;overflow-wrap:anywhere;min-width:190px}
td em{display:block;font-style:normal;font-weight:600;color:var(--bad);margin-top:2px}
.badge{color:#fff;padding:.12em .5em;border-radius:4px;font-size:.84em;font-weight:600;white-space:nowrap}
svg{display:block}.chart{width:100%;height:auto;min-width:640px}.chart text{fill:var(--dim);font-size:12px}
.chart .end{text-anchor:end}.chart .mid{text-anchor:middle}.chart .rate{fill:var(--line)}
.inline{width:220px;height:16px;margin-top:3px}.spark{width:120px;height:22px}
.grid{stroke:var(--edge);stroke-width:1}.ok{fill:var(--ok)}.bad{fill:var(--bad)}.other{fill:var(--other)}
.money,.span{fill:var(--money)}.span{opacity:.55}.mark{fill:var(--ink)}
.line{fill:none;stroke:var(--line);stroke-width:2;stroke-linejoin:round}.dot{fill:var(--line)}.tip{fill:transparent}
.h0{fill:var(--empty)}.h1{fill:var(--h1)}.h2{fill:var(--h2)}.h3{fill:var(--h3)}.h4{fill:var(--h4)}.h5{fill:var(--h5)}.h6{fill:var(--h6)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.9em;color:var(--dim)}
.legend span{display:inline-flex;align-items:center;gap:6px}.legend i{width:12px;height:12px;border-radius:3px}
i.ok{background:var(--ok)}i.bad{background:var(--bad)}i.other{background:var(--other)}i.line{background:var(--line);height:3px}
@media print{body{background:#fff}section,.tile{break-inside:avoid}}
"""
