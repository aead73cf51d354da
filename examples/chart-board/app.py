import streamlit as st
import pandas as pd

st.set_page_config(page_title="Chart Board", page_icon="📊", layout="wide")
st.title("📊 Chart Board")
st.caption("Coffee shop sales, week by week")


@st.cache_data
def load_data() -> pd.DataFrame:
    df = pd.read_csv("sales.csv", parse_dates=["week"])
    df["revenue"] = df["cups"] * df["price"]
    return df


df = load_data()

drinks = st.sidebar.multiselect("Drinks", sorted(df["drink"].unique()), default=sorted(df["drink"].unique()))
metric = st.sidebar.radio("Metric", ["cups", "revenue"])
filtered = df[df["drink"].isin(drinks)]

left, middle, right = st.columns(3)
left.metric("Cups sold", f"{filtered['cups'].sum():,}")
middle.metric("Revenue", f"${filtered['revenue'].sum():,.0f}")
best = filtered.groupby("drink")["revenue"].sum()
right.metric("Best seller", best.idxmax() if len(best) else "–")

st.line_chart(filtered.pivot_table(index="week", columns="drink", values=metric, aggfunc="sum"))
st.bar_chart(filtered.groupby("drink")[metric].sum())

with st.expander("Raw data"):
    st.dataframe(filtered, width="stretch")
