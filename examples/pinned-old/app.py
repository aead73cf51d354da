from flask import Flask, jsonify, render_template_string, request
import numpy as np
import pandas as pd

app = Flask(__name__)

PAGE = """
<!doctype html>
<html lang="en"><head><title>Savings Simulator</title>
<style>
 body { font-family: system-ui, sans-serif; background: #0f172a; color: #e2e8f0; max-width: 720px; margin: 2rem auto; padding: 0 1rem; }
 input { width: 7rem; padding: .5rem; border-radius: 8px; border: 0; } button { padding: .5rem 1rem; border: 0; border-radius: 8px; background: #22c55e; }
 table { width: 100%; margin-top: 1.5rem; border-collapse: collapse; } td, th { padding: .4rem; text-align: right; border-bottom: 1px solid #334155; }
</style></head><body>
<h1>💰 Savings Simulator</h1>
<form>Monthly <input name="monthly" type="number" value="{{ monthly }}"> Years <input name="years" type="number" min="1" max="40" value="{{ years }}">
<button>Simulate</button></form>
{{ table | safe }}
<p><small>1,000 random futures. Not financial advice.</small></p>
</body></html>
"""


def simulate(monthly, years, runs=1000):
    rng = np.random.default_rng(42)
    returns = rng.normal(0.005, 0.035, size=(runs, years * 12))
    balance = np.zeros(runs)
    rows = []
    for month in range(years * 12):
        balance = (balance + monthly) * (1 + returns[:, month])
        if (month + 1) % 12 == 0:
            low, mid, high = np.percentile(balance, [10, 50, 90])
            rows.append({"year": (month + 1) // 12, "low": low, "median": mid, "high": high})
    # DataFrame.append was still around in pandas 1.x
    df = pd.DataFrame()
    df = df.append(rows, ignore_index=True)
    return df.round(0).astype(int)


@app.route("/")
def index():
    monthly = request.args.get("monthly", 200, type=int)
    years = min(max(request.args.get("years", 10, type=int), 1), 40)
    table = simulate(monthly, years).to_html(index=False, border=0)
    return render_template_string(PAGE, table=table, monthly=monthly, years=years)


@app.route("/api/versions")
def versions():
    return jsonify(numpy=np.__version__, pandas=pd.__version__)


if __name__ == "__main__":
    app.run(debug=False, host="0.0.0.0", port=5001)
