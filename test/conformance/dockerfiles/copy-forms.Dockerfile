FROM busybox
COPY app.py /
COPY app.py /renamed.py
COPY app.py requirements.txt /both/
COPY data /data
COPY data/ /slash/
COPY data/. /dot
COPY data/*.txt /globbed/
COPY ["name with space.txt", "/quoted/to there.txt"]
WORKDIR /w
COPY app.py .
COPY app.py sub/
COPY . all
